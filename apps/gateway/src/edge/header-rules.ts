/**
 * The rules for the headers of a request. They are checked before its body is read.
 *
 * Cross-site request forgery: an unsafe method must come from a page of ours. Origin and Fetch Metadata (W3C) say where a browser's request
 * comes from, and no page can forge them. SameSite=Lax alone would let sibling hosts in.
 *
 * Look-alikes are headers that resemble our identity metadata. The gateway forwards no inbound header at all, so none of them could reach a
 * service. It drops and counts them all the same, because their sender is probing. Spellings seen in attacks: other case, `_` for `-` (some
 * servers fold them), `-bin` (gRPC decodes it), duplicates.
 */
import type { IncomingHttpHeaders, IncomingMessage } from 'node:http';
import { callMetadata, problem, type Problem } from '@cloakroom/contracts';
import { resemblesCallMetadata } from '@cloakroom/mesh';

const safeMethods = new Set(['GET', 'HEAD', 'OPTIONS']);

export interface RequestOrigin {
  readonly method: string;
  readonly origin: string | undefined;
  readonly fetchSite: string | undefined;
}

export function checkSameOrigin(request: RequestOrigin, publicOrigins: ReadonlySet<string>): Problem | undefined {
  if (safeMethods.has(request.method)) return undefined;
  const { origin, fetchSite } = request;
  // "same-site" is another port or a sibling host. "none" is a bookmark, which makes no unsafe request. Neither is a page of ours.
  if (fetchSite !== undefined && fetchSite !== 'same-origin') return problem('cross_site_request');
  if (origin !== undefined) return publicOrigins.has(origin) ? undefined : problem('cross_site_request');
  return fetchSite === 'same-origin' ? undefined : problem('cross_site_request');
}

/** Parsers on the way disagree about which of two Hosts counts (RFC 9112 3.2). HTTP/1.0 needs none. */
export function namesOneHost({ httpVersion, rawHeaders }: IncomingMessage): boolean {
  let count = 0;
  for (let at = 0; at < rawHeaders.length; at += 2) {
    const name = rawHeaders[at]!;
    if (name.length === 4 && name.toLowerCase() === 'host') count++;
  }
  return count === 1 || (count === 0 && httpVersion === '1.0');
}

/** Under their exact names these headers may come from outside. In any other spelling they are lookalikes. */
const welcome = new Set<string>([callMetadata.traceparent, callMetadata.experiment]);
/** Other platforms trust these names. A client that sends them is probing all the same. */
const foreignNames = new Set(['x-user-id', 'x-user', 'x-session', 'x-session-id', 'x-subject', 'x-identity']);

/** Browsers send the same few names in each request. A client that sends others fills this once, and finds no more room. */
const judged = new Map<string, boolean>();
const judgedCountMax = 256;

export function isLookalike(name: string): boolean {
  const known = judged.get(name);
  if (known !== undefined) return known;
  const verdict = judge(name);
  if (judged.size < judgedCountMax) judged.set(name, verdict);
  return verdict;
}

function judge(name: string): boolean {
  const lower = name.toLowerCase();
  if (welcome.has(lower)) return false;
  return resemblesCallMetadata(name) || foreignNames.has(lower.replaceAll('_', '-').replace(/-bin$/, ''));
}

/**
 * Removes the lookalikes from the parsed headers.
 * @param rawHeaders name, value, name, value ... as received: here duplicates are still apart
 * @returns how many there were
 */
export function dropLookalikes(headers: IncomingHttpHeaders, rawHeaders: readonly string[]): number {
  let dropped = 0;
  for (let i = 0; i < rawHeaders.length; i += 2) {
    const name = rawHeaders[i]!;
    if (!isLookalike(name)) continue;
    dropped++;
    delete headers[name.toLowerCase()];
  }
  return dropped;
}
