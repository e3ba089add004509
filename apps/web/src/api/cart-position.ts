/**
 * Monotonic reads: the page never shows an older cart than the one it showed before. Each answer about the cart says how far its view had come
 * (Consistency-Token). The page sends the furthest position with its next question. Another gateway, or a view that was restored, then waits until
 * it has come that far, or says that it is behind.
 */
import type { Fetch } from './request.ts';

const header = 'consistency-token';
/**
 * As long as the cookie of a write lives. By then every view has caught up. Without an end, a log that was created anew would count as behind
 * for ever.
 */
const keptMs = 60_000;

export function carryingPosition(fetch: Fetch, nowMs: () => number): Fetch {
  let newest: { readonly token: string; readonly atMs: number } | undefined;
  return async (path, init) => {
    if (!/^\/api\/(cart|orders)\b/.test(path)) return fetch(path, init);
    if (newest !== undefined && nowMs() - newest.atMs > keptMs) newest = undefined;
    const headers = new Headers(init.headers);
    if (newest !== undefined) headers.set(header, newest.token);
    const response = await fetch(path, { ...init, headers });
    const token = response.headers.get(header);
    if (token !== null && !isBehind(token, newest?.token)) newest = { token, atMs: nowMs() };
    return response;
  };
}

/** Whether the first position is of the same partition as the second and before it. Answers arrive in any order. */
function isBehind(token: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  const [at, atOther] = [token.lastIndexOf(':'), other.lastIndexOf(':')];
  return token.slice(0, at) === other.slice(0, atOther) && Number(token.slice(at + 1)) < Number(other.slice(atOther + 1));
}
