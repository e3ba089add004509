/**
 * Streams at a server outlive the check they were opened with: a session may be revoked while nothing is sent. So the server judges every open stream
 * again before each message, at each revocation heard, and once a second in case the feed falls silent. A slow reader holds its producer back (at
 * most grpc-js's 16 messages wait); it never makes the process grow.
 */
import type { ServerWritableStream } from '@grpc/grpc-js';
import { isProblem, type Problem } from '@cloakroom/contracts';
import type { VerifiedIdentity } from '../context.ts';
import type { Admission, ServerCall } from './server-call.ts';

/** Adds to the 2 s lease: a stream of a revoked session ends within 3 s of the moment the feed falls silent. */
const standingIntervalMs = 1_000;

export interface OpenStreams {
  standing(identity: VerifiedIdentity | undefined): Problem | undefined;
  /** Returns the function that leaves. */
  enter(identity: VerifiedIdentity | undefined, stop: (why: Problem) => void): () => void;
  endAll(why: Problem): void;
}

export function openStreams(admission: Pick<Admission, 'standing' | 'onRevocation'>): OpenStreams {
  interface Entry {
    readonly identity: VerifiedIdentity | undefined;
    readonly stop: (why: Problem) => void;
  }
  const open = new Set<Entry>();
  let timer: NodeJS.Timeout | undefined;
  let closed: Problem | undefined;
  const standing = (identity: VerifiedIdentity | undefined) => closed ?? (identity && admission.standing(identity));
  const judgeAll = (): void => {
    for (const entry of open) {
      const why = standing(entry.identity);
      if (why !== undefined) entry.stop(why);
    }
  };
  const unsubscribe = admission.onRevocation(judgeAll);
  return {
    standing,
    enter(identity, stop) {
      const entry: Entry = { identity, stop };
      open.add(entry);
      timer ??= setInterval(judgeAll, standingIntervalMs).unref();
      return () => {
        open.delete(entry);
        if (open.size > 0) return;
        clearInterval(timer);
        timer = undefined;
      };
    },
    endAll(why) {
      closed = why;
      judgeAll();
      unsubscribe();
    },
  };
}

/** Writes the handler's messages until it returns, yields a Problem, throws, or the call ends otherwise. */
export async function pump(options: {
  readonly begun: ServerCall;
  readonly call: ServerWritableStream<object, object>;
  readonly streams: OpenStreams;
  readonly messages: AsyncIterable<object>;
  readonly encode: (message: object) => Buffer;
}): Promise<void> {
  const { begun, call, streams, encode } = options;
  const ctx = begun.context();
  const leave = streams.enter(ctx.identity, (why) => begun.stop(why));
  const iterator = options.messages[Symbol.asyncIterator]();
  let exhausted = false;
  try {
    while (!ctx.signal.aborted) {
      const next = await orAborted(iterator.next(), ctx.signal);
      if (next === undefined) return;
      exhausted = next.done === true;
      const outcome = exhausted ? 'ok' : (streams.standing(ctx.identity) ?? next.value);
      if (outcome === 'ok' || isProblem(outcome)) {
        begun.end(outcome);
        return;
      }
      if (!call.write(encode(outcome))) await drained(call, ctx.signal);
    }
  } finally {
    leave();
    // Lets the handler clean up. The server does not wait for it: a handler that ignores the signal would hold this call for ever.
    if (!exhausted) iterator.return?.().then(undefined, () => undefined);
  }
}

/** Promise.race is no option: it would leave a reaction on the signal's promise for every message of a long stream. */
function orAborted<T>(work: Promise<T>, signal: AbortSignal): Promise<T | undefined> {
  return new Promise((resolve, reject) => {
    const aborted = (): void => resolve(undefined);
    signal.addEventListener('abort', aborted, { once: true });
    const forget = (): void => signal.removeEventListener('abort', aborted);
    work.then(resolve, reject).then(forget, forget);
  });
}

function drained(call: ServerWritableStream<object, object>, signal: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = (): void => {
      call.off('drain', done);
      signal.removeEventListener('abort', done);
      resolve();
    };
    call.once('drain', done);
    signal.addEventListener('abort', done, { once: true });
    if (signal.aborted) done();
  });
}
