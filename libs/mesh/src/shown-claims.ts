/**
 * The claims of a passport or an access token, as the Observatory may see them. They go by a list of names, so a claim that is new or forged stays out.
 * The signature, the name and the e-mail of a person are never among them. They are read without a check, because a refused token is shown too.
 */

const names = 'iss aud client_id sub sid state mode role epoch gepoch acr amr auth_time txn jti gen act scope region cart iat exp'.split(
  ' ',
);
const headerNames = ['alg', 'typ', 'kid'] as const;

/** A forger may write anything into a claim. A text longer than the longest scope, or with other characters than ours, is not shown. */
const textPattern = /^[A-Za-z0-9_./:+ -]{0,2048}$/;
/** Our ids have 38 characters at most before a separator. A longer run could be a key, a token or a signature. */
const secretPattern = /[A-Za-z0-9_-]{41,}/;
/** The id of a key is the hash of its public part. */
const kidPattern = /^[A-Za-z0-9_-]{1,64}$/;
const notShown = '(not shown)';
const depthMax = 4;
const itemCountMax = 16;

export interface ShownClaims {
  readonly header: Readonly<Record<string, unknown>>;
  readonly claims: Readonly<Record<string, unknown>>;
}

/** @returns undefined where the text is no JWS */
export function shownClaims(token: string): ShownClaims | undefined {
  const [header, payload] = token.split('.', 2).map(objectIn);
  return header === undefined || payload === undefined ? undefined : { header: shownHeader(header), claims: pick(payload, names) };
}

/** The header of a JWS as JSON, of a detached one too: algorithm, type, id of the key. */
export function headerOf(jws: string): string | undefined {
  const header = objectIn(jws.split('.', 1)[0]!);
  return header && JSON.stringify(shownHeader(header));
}

function shownHeader(header: Readonly<Record<string, unknown>>): Readonly<Record<string, unknown>> {
  const { kid } = header;
  return { ...pick(header, headerNames), ...(typeof kid === 'string' && kidPattern.test(kid) && { kid }) };
}

/** "gateway > orders": the services that acted for the person, first to last. The claim nests them the other way round (RFC 8693 4.1). */
export function actorsIn(claims: Readonly<Record<string, unknown>>): string | undefined {
  const actors: string[] = [];
  let actor = claims['act'];
  while (isObject(actor) && actors.length < depthMax) {
    actors.unshift(String(actor['sub']));
    actor = actor['act'];
  }
  return actors.length === 0 ? undefined : actors.join(' > ');
}

function objectIn(part: string): Readonly<Record<string, unknown>> | undefined {
  try {
    const value: unknown = JSON.parse(Buffer.from(part, 'base64url').toString());
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

const isObject = (value: unknown): value is Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

const pick = (from: Readonly<Record<string, unknown>>, wanted: readonly string[]): Record<string, unknown> =>
  Object.fromEntries(wanted.filter((name) => Object.hasOwn(from, name)).map((name) => [name, shown(from[name], 0)]));

function shown(value: unknown, depth: number): unknown {
  if (typeof value === 'string') return textPattern.test(value) && !secretPattern.test(value) ? value : notShown;
  if (typeof value === 'number' || typeof value === 'boolean') return value;
  if (depth >= depthMax) return notShown;
  if (Array.isArray(value)) return value.slice(0, itemCountMax).map((item) => shown(item, depth + 1));
  // The actor chain is the only claim with members.
  if (isObject(value))
    return Object.fromEntries(['sub', 'act'].flatMap((name) => (name in value ? [[name, shown(value[name], depth + 1)]] : [])));
  return notShown;
}
