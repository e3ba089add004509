/**
 * Monotonic reads: what this page was shown of the cart stays shown. Each answer about the cart tells how far it had come (Consistency-Token), and the
 * furthest goes along with what is asked next, so that another gateway, or a view that was restored, waits or says that it is behind.
 */
import type { Fetch } from './request.ts';

const header = 'consistency-token';
/** As long as the cookie of a write: past it every view has caught up, and a log that was made anew would stay behind for ever. */
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

/** Whether one tells of the same partition as the other, and of less. Answers come in any order. */
function isBehind(token: string, other: string | undefined): boolean {
  if (other === undefined) return false;
  const [at, atOther] = [token.lastIndexOf(':'), other.lastIndexOf(':')];
  return token.slice(0, at) === other.slice(0, atOther) && Number(token.slice(at + 1)) < Number(other.slice(atOther + 1));
}
