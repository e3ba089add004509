/**
 * The requests of clients to a shop and the answers they got, recorded as Jepsen does: an operation is invoked, and ends ok, failed or
 * unknown. The checker (history.check.ts) knows nothing else. So a history can be written down, read again and judged anywhere.
 *
 * All times come from the one clock of the process that drives the clients, in milliseconds since 1970, with fractions. So an operation
 * that completed before another was invoked really came first. No time here is compared with a clock of the shop.
 */
import { readFile, writeFile } from 'node:fs/promises';
import { performance } from 'node:perf_hooks';

/** ShopInput and ShopOutput below show the data of each kind. */
export type OperationKind =
  | 'begin-guest'
  | 'register'
  | 'login'
  | 'logout'
  | 'reauthenticate'
  | 'add'
  | 'set'
  | 'remove'
  | 'clear'
  | 'apply-coupon'
  | 'remove-coupon'
  | 'read'
  | 'preview'
  | 'checkout'
  | 'read-orders'
  | 'read-product'
  | 'use-ended-session';

/**
 * ok: it happened, and this was the answer. failed: the shop refused it for certain; it did not happen and will not. unknown: a time-out, a
 * cut connection, 5xx or outcome_unknown. It may have happened, and may still happen later.
 */
export type Outcome = 'ok' | 'failed' | 'unknown';

/** Words for people. "failed" sounds as if the shop had failed, but the shop refused. */
export const outcomeWords: Readonly<Record<Outcome, string>> = { ok: 'ok', failed: 'refused', unknown: 'unknown' };

export interface Operation {
  /** Its place in the order of invocation. */
  readonly id: number;
  /** One device: one cookie jar, one call at a time. */
  readonly client: string;
  /** The person that the client claims to be, also while still a guest. At sign-in the guest's cart becomes this person's. */
  readonly person: string;
  readonly kind: OperationKind;
  readonly gateway: string;
  readonly invokedAtMs: number;
  /** Undefined while no answer came; the outcome is then unknown. */
  readonly completedAtMs: number | undefined;
  readonly outcome: Outcome;
  readonly input: Readonly<Record<string, unknown>>;
  readonly output?: Readonly<Record<string, unknown>>;
  readonly error?: string;
}

/** A fault that was caused in the system while clients worked. */
export interface Fault {
  readonly name: string;
  readonly target: string;
  readonly fromMs: number;
  readonly toMs: number;
}

export interface HistoryBounds {
  /**
   * Time from a logout's answer until all refuse the session, where nothing is broken: the lease of the identity cache, and one
   * request. The default is for mode hybrid.
   */
  readonly revokedWithinMs: number;
  /** The same bound while auth cannot be asked: a cached identity is then used until its passport ends. */
  readonly revokedDuringFaultsWithinMs: number;
  /** Time from a command's answer until every device is shown it, where nothing is broken. */
  readonly visibleWithinMs: number;
  /** Each gateway is a region, and knows at first what was done there. So "merged" speaks of that region alone. */
  readonly gatewaysAreRegions: boolean;
}

export interface History {
  readonly seed: number;
  readonly operations: readonly Operation[];
  readonly faults: readonly Fault[];
  /** The time from which nothing was broken any more. */
  readonly healedAtMs: number;
  /** Bounds of the judgement, where they differ from those of a shop of one region. */
  readonly bounds?: Partial<HistoryBounds>;
}

export interface Anomaly {
  readonly kind: string;
  readonly message: string;
  /** Ids of the few operations that show the anomaly. */
  readonly operations: readonly number[];
}

/** The situation in which a command was repeated. history.repeats.ts describes each in words. */
export type RepeatKind = 'lost-answer' | 'other-gateway' | 'sign-in' | 'sign-in-taken' | 'sign-out' | 'other-person';
/** Repetitions that were answered well. */
export type Repeats = Readonly<Record<RepeatKind, number>>;

export interface Verdict {
  readonly ok: boolean;
  readonly anomalies: readonly Anomaly[];
  /**
   * Time from the acknowledgement of a command to the first later read of its watcher that shows it. `unseen` counts commands that the
   * watcher gave up after some looks, and those that died before a look. They show later than `max`, if ever.
   */
  readonly visibleMs: { readonly count: number; readonly unseen: number; readonly p50: number; readonly p99: number; readonly max: number };
  /** How often commands were repeated, and in which situations. A run without repetitions proves nothing about them. */
  readonly repeats: Repeats;
  /** Operations by kind and outcome, in words: `add ok`, `add refused`. */
  readonly counts: Readonly<Record<string, number>>;
}

/** Wall-clock milliseconds that never go back. */
export const historyNowMs = (): number => performance.timeOrigin + performance.now();

export type Ended = Pick<Operation, 'outcome' | 'output' | 'error'>;

export interface Recorder {
  /** The returned function ends the operation, once. An operation that is never ended stays unknown. */
  invoke(what: Pick<Operation, 'client' | 'person' | 'kind' | 'gateway' | 'input'>): (ended: Ended) => Operation;
  /** A fault that lasts until the returned function is called. */
  fault(name: string, target: string): () => void;
  /** The operations so far. An open one counts as unknown. */
  operations(): Operation[];
  faults(): Fault[];
  history(seed: number, healedAtMs: number): History;
}

export function openRecorder(nowMs: () => number = historyNowMs): Recorder {
  const operations: Operation[] = [];
  const faults: Fault[] = [];
  return {
    invoke(what) {
      const id = operations.length;
      operations.push({ id, ...what, invokedAtMs: nowMs(), completedAtMs: undefined, outcome: 'unknown' });
      return (ended) => {
        const before = operations[id]!;
        if (before.completedAtMs !== undefined) throw new Error(`operation ${id} has ended before`);
        return (operations[id] = { ...before, ...ended, completedAtMs: nowMs() });
      };
    },
    fault(name, target) {
      const at = faults.push({ name, target, fromMs: nowMs(), toMs: Number.MAX_SAFE_INTEGER }) - 1;
      return () => void (faults[at] = { ...faults[at]!, toMs: nowMs() });
    },
    operations: () => [...operations],
    faults: () => [...faults],
    history: (seed, healedAtMs) => ({ seed, operations: [...operations], faults: [...faults], healedAtMs }),
  };
}

/** JSON lines: the first line holds everything except the operations, then each operation has a line. */
export async function writeHistory(file: string, { operations, ...head }: History): Promise<void> {
  await writeFile(file, [head, ...operations].map((line) => `${JSON.stringify(line)}\n`).join(''));
}

export async function readHistory(file: string): Promise<History> {
  const [head, ...operations] = (await readFile(file, 'utf8')).split('\n').filter((line) => line !== '');
  if (head === undefined) throw new Error(`${file} holds no history`);
  return {
    ...(JSON.parse(head) as Omit<History, 'operations'>),
    operations: operations.map((line) => operationOf(JSON.parse(line) as Operation)),
  };
}

/** JSON drops a field that is undefined, so it is put back here. */
const operationOf = (read: Operation): Operation => ({ ...read, completedAtMs: read.completedAtMs });
