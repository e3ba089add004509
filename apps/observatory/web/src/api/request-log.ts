import type { RequestSummary } from '../../../src/api.ts';

/** As many as a person scrolls through. The server keeps more, and a link to an older one still works. */
export const requestCountMax = 300;

/** Newest first, each request once. A later word about a request replaces the earlier one: it has settled meanwhile. */
export function withRequests(known: readonly RequestSummary[], more: readonly RequestSummary[]): readonly RequestSummary[] {
  const byTrace = new Map([...known, ...more].map((request) => [request.traceId, request]));
  return [...byTrace.values()].toSorted((a, b) => b.startedAtMs - a.startedAtMs).slice(0, requestCountMax);
}

const pageLoad = 'GET /*';
const files: ReadonlySet<string> = new Set([pageLoad, 'GET /assets/*', 'GET /images/*']);

/** A script, a style or a picture of the shop's page: the gateway serves it to anybody, and nothing happens. The list leaves those out. */
export const isFile = ({ name }: RequestSummary): boolean => files.has(name);

/** The page itself. Its pictures are asked for later too, for example when the cart shows a line. */
export const isPageLoad = ({ name }: RequestSummary): boolean => name === pageLoad;

/** A page of products makes several, and they would bury what the person did. The list leaves them out until it is asked for them. */
export const isCatalogRead = ({ name }: RequestSummary): boolean => /^GET \/api\/products(?:\/|$)/.test(name);

export const isMine = (request: RequestSummary, trainee: string): boolean => request.experiment === trainee;
