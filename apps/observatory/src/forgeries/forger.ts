/**
 * Plays a forgery on the shop that runs. It is no confused deputy: it acts for a throw-away account of its own, as the caller `developer`, which only
 * local shops admit, and it plays the fixed list.
 *
 * Before each forgery the genuine passport is shown to the same service and must be accepted. Otherwise a service that is away would look like one
 * that refuses.
 *
 * The mesh is loaded at the first forgery, here and in the files beside: it takes 30 MB, and most who open the page forge nothing.
 */
import { randomBytes } from 'node:crypto';
import { CartService, errorTable, isProblem, observed, type Problem, ProfileService } from '@cloakroom/contracts';
import { type Clock, type Logger, startTrace, type TraceContext } from '@cloakroom/platform/process-life';
import type { ForgeryResult, ForgeryView } from '../api.ts';
import type { SpanContext } from '../span.ts';
import { forgeries, type Forgery, type Loot, readPassport, type Target } from './forgeries.ts';
import type { ShopAccess } from './shop-access.ts';
import { askForPassport, register, Untried } from './throw-away-account.ts';

export interface ForgerParts {
  /** Undefined while the shop is not known yet. */
  readonly shop: () => ShopAccess | undefined;
  readonly spans: Pick<SpanContext, 'spansOf'>;
  readonly clock: Clock;
  readonly log: Logger;
}

export interface Forger {
  readonly list: readonly ForgeryView[];
  /** One after the other, because two would register two accounts. @returns undefined for a name that is not on the list */
  play(name: string): Promise<ForgeryResult | undefined>;
}

/** The service's own budget for these reads. */
const callBudgetMs = 1_500;
/** Services send their spans within a second (libs/platform/src/telemetry.otlp.ts); a loaded machine takes longer. */
const spanTimeoutMs = 4_000;
const spanPollMs = 50;
/** The verifier has no leeway at the end of a passport, but its clock is not this one. */
const pastEndMs = 250;

export function openForger(parts: ForgerParts): Forger {
  const account: Account = { token: undefined, old: undefined };
  let running: Promise<unknown> = Promise.resolve();
  return {
    list: forgeries.map(({ name, title, words, sentTo }) => ({ name, title, words, sentTo })),
    async play(name) {
      const forgery = forgeries.find((one) => one.name === name);
      if (forgery === undefined) return undefined;
      const turn = running.then(() => played(forgery, account, parts));
      running = turn.catch(() => undefined);
      return turn;
    },
  };
}

/** Lives as long as the Observatory, in memory alone. */
interface Account {
  token: string | undefined;
  /** The first passport, kept until its time is over. */
  old: string | undefined;
}

async function played(forgery: Forgery, account: Account, parts: ForgerParts): Promise<ForgeryResult> {
  try {
    const shop = parts.shop();
    if (shop === undefined) throw new Untried('The Observatory does not know yet where the shop is.');
    const loot = await stolen(shop, account, parts);
    const laterMs = forgery.check === 'expired' ? endOf(loot.old) + pastEndMs - parts.clock.nowMs() : 0;
    if (laterMs > 0) return { ...nothing(forgery), outcome: 'later', laterMs, note: 'The passport that the forger keeps is still good.' };
    await mustBeAccepted(shop, forgery.target, account, parts);
    return await sentForged(forgery, loot, shop, parts);
  } catch (error) {
    if (error instanceof Untried) return { ...nothing(forgery), outcome: 'untried', note: error.message };
    throw error;
  }
}

/** Passports of the forger's own session. A session that is over is followed by a new account. */
async function stolen(shop: ShopAccess, account: Account, { log }: ForgerParts): Promise<Loot> {
  const known = account.token === undefined ? undefined : await askForPassport(shop, account.token, 'cart', log);
  account.token = known === undefined ? await register(shop.gateway) : account.token!;
  const fresh = known ?? (await askForPassport(shop, account.token, 'cart', log));
  if (fresh === undefined) throw new Untried('auth does not know the session that the shop has just begun.');
  account.old = known === undefined ? fresh : (account.old ?? fresh);
  return { fresh, old: account.old };
}

async function mustBeAccepted(shop: ShopAccess, target: Target, account: Account, { log }: ForgerParts): Promise<void> {
  const passport = await askForPassport(shop, account.token!, target, log);
  const answer = await send(shop, target, passport, startTrace(randomBytes), log);
  if (isProblem(answer))
    throw new Untried(`${target} refuses the genuine passport too: ${answer.problem}. So a refusal would prove nothing.`);
}

async function sentForged(forgery: Forgery, loot: Loot, shop: ShopAccess, { spans, log }: ForgerParts): Promise<ForgeryResult> {
  const forged = await forgery.make(loot);
  const trace = startTrace(randomBytes);
  const startedMs = performance.now();
  const answer = await send(shop, forgery.target, forged, trace, log);
  const durationMs = performance.now() - startedMs;
  // A service that is away or busy has checked nothing.
  if (isProblem(answer) && !isRefusal(answer)) throw new Untried(`${forgery.target} did not judge the passport: ${answer.problem}.`);
  return {
    ...nothing(forgery),
    outcome: isProblem(answer) ? 'refused' : 'accepted',
    code: isProblem(answer) ? answer.problem : undefined,
    check: isProblem(answer) ? await checkOf(trace.traceId, spans) : undefined,
    sent: forged === undefined ? undefined : readPassport(forged),
    genuine: readPassport(loot.fresh).claims,
    traceId: trace.traceId,
    durationMs,
  };
}

/** Only these come from a check of the caller or its passport. */
const isRefusal = ({ problem }: Problem): boolean => ['UNAUTHENTICATED', 'PERMISSION_DENIED'].includes(errorTable[problem].grpc);

/** Each target is asked by a read that changes nothing. */
async function send(
  shop: ShopAccess,
  target: Target,
  passport: string | undefined,
  trace: TraceContext,
  log: Logger,
): Promise<object | Problem> {
  const { connectMesh } = await import('@cloakroom/mesh');
  const call = { budgetMs: callBudgetMs, trace, passport };
  const options = { address: shop.addresses[target], ...(await shop.proof()), log };
  const connection = target === 'cart' ? connectMesh(CartService, options) : connectMesh(ProfileService, options);
  try {
    return await ('getCart' in connection.client ? connection.client.getCart(call, {}) : connection.client.getProfile(call, {}));
  } finally {
    connection.close();
  }
}

/** The service itself names the check, in the span of the call. It comes to the Observatory like every span, a moment later. */
async function checkOf(traceId: string, spans: ForgerParts['spans']): Promise<string | undefined> {
  for (let waitedMs = 0; waitedMs < spanTimeoutMs; waitedMs += spanPollMs) {
    for (const { kind, attributes } of spans.spansOf(traceId)) {
      const refusal = attributes[observed.refusal];
      if (kind === 'server' && typeof refusal === 'string') return refusal;
    }
    await new Promise((resolve) => setTimeout(resolve, spanPollMs));
  }
  return undefined;
}

const endOf = (passport: string): number => Number(readPassport(passport).claims['exp']) * 1_000;

const nothing = ({ name, file }: Forgery): ForgeryResult => ({
  name,
  outcome: 'untried',
  code: undefined,
  check: undefined,
  file,
  sent: undefined,
  genuine: undefined,
  traceId: undefined,
  durationMs: undefined,
  laterMs: undefined,
  note: undefined,
});
