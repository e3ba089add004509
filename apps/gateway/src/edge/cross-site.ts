/**
 * Cross-site request forgery: an unsafe method must come from a page of ours. Origin and Fetch Metadata (W3C) say where a browser's request
 * comes from, and no page can forge them. The check runs before the body is read. SameSite=Lax alone would let sibling hosts in.
 */
import { problem, type Problem } from '@cloakroom/contracts';

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
