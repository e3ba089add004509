/**
 * The metadata of a call inside the mesh. HTTP/2 joins repeated fields with commas into one value, and grpc-js takes any number of values. So this
 * file checks by hand that there is exactly one. Neither `x_passport`, `x-passport-bin` nor `X.Passport` may become a second door (an underscore
 * alias passed Traefik, GHSA-5m6w-wvh7-57vm). The mesh refuses and counts every name that only resembles one of ours.
 */
import { createHmac, timingSafeEqual } from 'node:crypto';
import { Metadata } from '@grpc/grpc-js';
import {
  callMetadata,
  consistencyTokenPattern,
  developer,
  experimentPattern,
  problem,
  type Problem,
  signedTokenLengthMax,
} from '@cloakroom/contracts';
import type { Timing } from './context.ts';
import { refusedMetadata } from './mesh-metrics.ts';
import { refusedBy } from './refusal.ts';

export interface CallMetadata {
  readonly passport: string | undefined;
  readonly accessToken: string | undefined;
  readonly traceparent: string | undefined;
  readonly experiment: string | undefined;
  readonly consistency: string | undefined;
}

type Carried = keyof CallMetadata;
const carried: readonly Carried[] = ['passport', 'accessToken', 'traceparent', 'experiment', 'consistency'];

/** A call that carries one of these claims an identity. */
const identities: readonly Carried[] = ['passport', 'accessToken'];

const signedToken = new RegExp(`^[A-Za-z0-9_.-]{1,${signedTokenLengthMax}}$`);
/** One value each: no comma, no space, no control character. */
const accepted: Readonly<Record<Carried, RegExp>> = {
  passport: signedToken,
  accessToken: signedToken,
  traceparent: /^[0-9a-f-]{1,128}$/,
  experiment: experimentPattern,
  consistency: consistencyTokenPattern,
};

/** Names with the same letters and digits, in any case, with any separators, binary or not. */
const fold = (name: string): string =>
  name
    .toLowerCase()
    .replace(/-bin$/, '')
    .replace(/[^a-z0-9]/g, '');
const folded: ReadonlyMap<string, string> = new Map(Object.values(callMetadata).map((name) => [fold(name), name]));
/** These are no look-alikes: our own names as they are, and the one that grpc-js adds to each call. Folding a name costs more than all the rest. */
const plain: ReadonlySet<string> = new Set([...folded.values(), 'user-agent']);

/** All values of each name. grpc-js has made the names lower case. */
type Sent = Readonly<Record<string, readonly (string | Buffer)[] | undefined>>;

/** Whether a header from outside resembles metadata of the mesh, the exact name included. The gateway drops and counts such headers. */
export function resemblesCallMetadata(name: string): boolean {
  return folded.has(fold(name));
}

const ambiguous = problem('invalid_passport', 'ambiguous metadata');

/** @returns `invalid_passport` where the identity is ambiguous; any other unacceptable value counts as not sent */
export function readCallMetadata(metadata: Metadata): CallMetadata | Problem {
  const sent: Sent = metadata.toJSON();
  for (const name of Object.keys(sent)) {
    if (plain.has(name)) continue;
    const meant = folded.get(fold(name));
    if (meant === undefined) continue;
    refusedMetadata.inc({ key: meant, reason: 'look_alike' });
    if (meant === callMetadata.passport || meant === callMetadata.accessToken) return refusedBy('ambiguous_metadata', ambiguous);
  }
  const passport = readOne(sent, 'passport');
  const accessToken = readOne(sent, 'accessToken');
  const traceparent = readOne(sent, 'traceparent') || undefined;
  const experiment = readOne(sent, 'experiment') || undefined;
  const consistency = readOne(sent, 'consistency') || undefined;
  const both = passport !== undefined && accessToken !== undefined;
  if (both) refusedMetadata.inc({ key: callMetadata.accessToken, reason: 'beside_a_passport' });
  if (both || passport === false || accessToken === false) return refusedBy('ambiguous_metadata', ambiguous);
  return { passport, accessToken, traceparent, experiment, consistency };
}

/** The metadata of a question on a stream, in fields of a message. It is judged by the same patterns. '' counts as not sent. */
export function readQuestionMetadata(sent: { readonly traceparent: string; readonly experiment: string }): CallMetadata {
  const read = (field: 'traceparent' | 'experiment'): string | undefined => {
    const value = sent[field];
    if (value === '') return undefined;
    if (accepted[field].test(value)) return value;
    refusedMetadata.inc({ key: callMetadata[field], reason: 'malformed' });
    return undefined;
  };
  const nobody = { passport: undefined, accessToken: undefined, consistency: undefined };
  return { ...nobody, traceparent: read('traceparent'), experiment: read('experiment') };
}

/** @returns undefined: not sent; false: refused */
function readOne(sent: Sent, field: Carried): string | undefined | false {
  const key = callMetadata[field];
  const values = sent[key];
  if (values === undefined || values.length === 0) return undefined;
  const [value] = values;
  if (values.length === 1 && typeof value === 'string' && accepted[field].test(value)) return value;
  refusedMetadata.inc({ key, reason: values.length > 1 || String(value).includes(',') ? 'more_than_one' : 'malformed' });
  return false;
}

/** Always a new object and always `set`, because Metadata.merge() and add() append: a second passport would ride along. */
export function writeCallMetadata(values: Partial<CallMetadata>): Metadata {
  const metadata = new Metadata();
  if (values.passport !== undefined && values.accessToken !== undefined) throw new RangeError('a passport or an access token, never both');
  for (const field of carried) {
    const value = values[field];
    if (value === undefined) continue;
    if (accepted[field].test(value)) metadata.set(callMetadata[field], value);
    // The other values may come from a browser, and a spoilt cookie must not fail the request. Auth made the passport, and the access token was
    // verified.
    else if (identities.includes(field)) throw new RangeError(`this is not a ${field === 'passport' ? 'passport' : 'token'}`);
    else refusedMetadata.inc({ key: callMetadata[field], reason: 'not_sent' });
  }
  return metadata;
}

/** Keeps an answer's burn-down readable, and within the limit for headers. */
export const timingCountMax = 32;

/** Entries of a Server-Timing field (W3C Server Timing), as the trailer and the gateway's header carry them. */
export function formatTimings(entries: readonly Timing[]): string {
  return entries
    .slice(0, timingCountMax)
    .map(({ name, durationMs, description }) => {
      const note = description === undefined ? '' : `;desc="${description.replace(/[^ !#-+\--:<-[\]-~]/g, '')}"`;
      return `${name.replace(/[^A-Za-z0-9!#$%&'*+.^_`|~-]/g, '_')};dur=${Math.round(durationMs * 100) / 100}${note}`;
    })
    .join(', ');
}

export function parseTimings(field: string): Timing[] {
  return field
    .split(', ')
    .slice(0, timingCountMax)
    .flatMap((entry) => {
      const match = /^([^;, ]+);dur=([0-9.]+)(?:;desc="([^"]*)")?$/.exec(entry);
      if (match === null) return [];
      return [{ name: match[1]!, durationMs: Number(match[2]), ...(match[3] !== undefined && { description: match[3] }) }];
    });
}

/**
 * Protects calls where there are no certificates. In embedded mode every service listens on loopback, so any process on the machine could call it.
 * The process is given a secret at each start. Its own calls carry it, and the server refuses calls without it. A user who may read the shop's folder
 * has it too: that is its operator.
 *
 * There is one secret a process, since its services share one door to the outside. It is undefined where there are certificates, and in tests.
 */
let secretOfProcess: string | undefined;
/** The same secret, and the one that is made from it for the developer, as bytes to compare with. */
let known: { readonly service: Buffer; readonly developer: Buffer } | undefined;

/** Call it before the first service starts. @returns takes it back, for tests */
export function guardMesh(secret: string): () => void {
  secretOfProcess = secret;
  known = { service: Buffer.from(secret), developer: Buffer.from(developerSecret(secret)) };
  return () => void (secretOfProcess = known = undefined);
}

/** The secret that a client without certificates sends. */
export const meshSecret = (): string | undefined => secretOfProcess;

/**
 * The secret of the caller `developer`, made from the secret of the start. Its holder cannot find the other one, with which a service may call
 * everything. So a process that plays the developer needs no more power than a developer has.
 */
export const developerSecret = (secretOfStart: string): string =>
  createHmac('sha256', secretOfStart).update('caller developer').digest('base64url');

/** @returns the sender of a call without a certificate: one of our services, the developer, or undefined for a stranger */
export function senderOf(metadata: Metadata): 'service' | typeof developer | undefined {
  if (known === undefined) return 'service';
  const [shown, ...more] = metadata.get(callMetadata.meshSecret);
  if (typeof shown !== 'string' || more.length > 0) return undefined;
  const bytes = Buffer.from(shown);
  if (isSame(bytes, known.service)) return 'service';
  return isSame(bytes, known.developer) ? developer : undefined;
}

/** Only how long a secret is can be told from the time that this takes. */
const isSame = (shown: Buffer, secret: Buffer): boolean => shown.length === secret.length && timingSafeEqual(shown, secret);
