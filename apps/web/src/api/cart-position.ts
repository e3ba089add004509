/**
 * Monotonic reads: the page never shows an older cart than the one it showed before. Each answer about the cart says how far its view had come
 * (Consistency-Token), in the log of each region. The page sends the furthest positions with its next question. Another gateway, also one of another
 * region, or a view that was restored, then waits until it has come that far, or says that it is behind.
 */
import type { Fetch } from './request.ts';

const header = 'consistency-token';
/**
 * As long as the cookie of a write lives. By then every view has caught up. Without an end, a log that was created anew would count as behind
 * for ever.
 */
const keptMs = 60_000;

/** `<region>:<partition>:` and the offset. */
interface Position {
  readonly log: string;
  readonly offset: bigint;
  readonly atMs: number;
}

export function carryingPosition(fetch: Fetch, nowMs: () => number): Fetch {
  /** The furthest of each region. */
  let furthest: readonly Position[] = [];
  return async (path, init) => {
    if (!/^\/api\/(cart|orders)\b/.test(path)) return fetch(path, init);
    furthest = furthest.filter(({ atMs }) => nowMs() - atMs <= keptMs);
    const headers = new Headers(init.headers);
    if (furthest.length > 0) headers.set(header, furthest.map(({ log, offset }) => `${log}${offset}`).join('+'));
    const response = await fetch(path, { ...init, headers });
    const token = response.headers.get(header);
    if (token !== null) furthest = joined(furthest, positionsIn(token, nowMs()));
    return response;
  };
}

function positionsIn(token: string, atMs: number): readonly Position[] {
  return token.split('+').map((text) => {
    const at = text.lastIndexOf(':') + 1;
    return { log: text.slice(0, at), offset: BigInt(text.slice(at)), atMs };
  });
}

const regionOf = ({ log }: Position): string => log.slice(0, log.indexOf(':'));

/** Answers arrive in any order. A position of another partition replaces that of its region: the cart is another one. */
function joined(known: readonly Position[], told: readonly Position[]): readonly Position[] {
  const isBehind = (one: Position): boolean => known.some(({ log, offset }) => log === one.log && offset > one.offset);
  const taken = told.filter((one) => !isBehind(one));
  return [...known.filter((one) => !taken.some((other) => regionOf(other) === regionOf(one))), ...taken];
}
