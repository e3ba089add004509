/**
 * How long a session could not be read, as a person at the shop would see it: reads of one session over the public API, one after the other. The
 * session is a throw-away account's, in the mode `reference`, where auth looks into the store at each request. A cache would hide the outage.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { Refusal } from '../edge/refusal.ts';
import type { ReadsView } from './places-view.ts';

/** A third of all sessions lies on each of three primaries. 20 accounts miss one of them once in 3,000 tries. */
const accountCountMax = 20;
/** A busy shop refuses now and then. One that is away refuses always. */
const refusalCountMax = 8;
const refusedPauseMs = 500;
/** A registration hashes a password, slowly on purpose. */
const answerTimeoutMs = 10_000;
const readPauseMs = 20;
/** Reads go on for so long after the last one that failed, or after the deed: a move fails at once, and a primary is given up by the others after some seconds. */
export const calmMs = { move: 2_000, kill: 8_000 } as const;
/** Then something is broken that does not mend itself. */
const watchMaxMs = 30_000;

/** @returns the cookie of a new session whose tag is `wanted`. @throws Refusal */
export async function sessionOn(shop: string, wanted: (tag: string) => boolean): Promise<string> {
  if (shop === '') throw new Refusal('cannot_act', 'This Observatory was not told of a shop.');
  for (let [count, refusals] = [0, 0]; count < accountCountMax;) {
    const account = { email: `probe-${randomBytes(6).toString('hex')}@example.com`, password: randomBytes(24).toString('base64url') };
    const registered = await send(shop, 'register', { ...account, name: 'A probe' });
    const answer = registered.token === undefined ? registered : await send(shop, 'login', { ...account, mode: 'reference' });
    if (answer.token === undefined) {
      if (++refusals > refusalCountMax)
        throw new Refusal('cannot_act', `The shop gave the probe no session (${answer.status}), so nothing was done.`);
      await delay(refusedPauseMs);
      continue;
    }
    count++;
    // v1.<region>.<tag>.<secret>.<mac>
    if (wanted(answer.token.split('.')[2] ?? '')) return `__Host-session=${answer.token}`;
  }
  throw new Refusal('cannot_act', `None of ${accountCountMax} new sessions came to lie there.`);
}

async function send(shop: string, path: string, body: object): Promise<{ readonly status: number | string; readonly token?: string }> {
  const answer = await fetch(`${shop}/api/session/${path}`, {
    method: 'POST',
    headers: { origin: shop, 'content-type': 'application/json' },
    body: JSON.stringify(body),
    signal: AbortSignal.timeout(answerTimeoutMs),
    redirect: 'error',
  }).catch(() => undefined);
  await answer?.body?.cancel();
  const token = /__Host-session=([^;]+)/.exec(answer?.headers.getSetCookie().join('\n') ?? '')?.[1];
  const status = answer?.status ?? 'no answer';
  return answer?.ok === true && token !== undefined ? { status, token } : { status };
}

/** Reads while `deed` is done, until all is calm again. */
export async function watchReads<Done>(
  shop: string,
  cookie: string,
  deed: () => Promise<Done>,
  calm: number,
): Promise<{ readonly done: Done; readonly reads: ReadsView }> {
  const read = (): Promise<boolean> =>
    fetch(`${shop}/api/session`, { headers: { cookie }, signal: AbortSignal.timeout(answerTimeoutMs) }).then(
      async (answer) => {
        await answer.body?.cancel();
        return answer.ok;
      },
      () => false,
    );
  const reads = readUntilCalm(read, { calm });
  const done = await deed().finally(() => reads.deedIsDone());
  return { done, reads: await reads.told };
}

/** @param read whether it succeeded */
export function readUntilCalm(
  read: () => Promise<boolean>,
  { calm, max = watchMaxMs }: { readonly calm: number; readonly max?: number },
): { deedIsDone(): void; readonly told: Promise<ReadsView> } {
  let doneAtMs = Number.POSITIVE_INFINITY;
  const follow = async (): Promise<ReadsView> => {
    const beganAtMs = performance.now();
    let [count, failed] = [0, 0];
    let [firstFailureAtMs, lastFailureAtMs, backAtMs]: (number | undefined)[] = [];
    for (;;) {
      const askedAtMs = performance.now();
      const ok = await read();
      count++;
      if (!ok) {
        failed++;
        firstFailureAtMs ??= askedAtMs;
        lastFailureAtMs = performance.now();
      } else if (firstFailureAtMs !== undefined) backAtMs ??= performance.now();
      const sinceMs = performance.now() - Math.max(doneAtMs, lastFailureAtMs ?? 0);
      if ((ok && sinceMs > calm) || performance.now() - beganAtMs > max) break;
      await delay(readPauseMs);
    }
    const outageMs = firstFailureAtMs === undefined || backAtMs === undefined ? undefined : backAtMs - firstFailureAtMs;
    return { count, failed, outageMs };
  };
  const told = follow();
  return { deedIsDone: () => void (doneAtMs = performance.now()), told };
}
