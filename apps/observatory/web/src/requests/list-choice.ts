/** Which requests the list shows, and how the address says so. */
import type { RequestSummary } from '../../../src/api.ts';
import { isCatalogRead, isFile, isMine } from '../api/request-log.ts';

/** The choice of the list. It stands in the address, so that a link keeps it. */
export interface Choice {
  readonly whose: 'mine' | 'everybody';
  readonly catalog: boolean;
}

export const choiceIn = (params: URLSearchParams): Choice => ({
  whose: params.get('whose') === 'everybody' ? 'everybody' : 'mine',
  catalog: params.get('catalog') === 'shown',
});

export function searchOf({ whose, catalog }: Choice): string {
  const parts = [...(whose === 'everybody' ? ['whose=everybody'] : []), ...(catalog ? ['catalog=shown'] : [])];
  return parts.length === 0 ? '' : `?${parts.join('&')}`;
}

/** Newest first, as they came. @returns those that the list shows, and how many reads of the catalog it leaves out */
export function shownOf(requests: readonly RequestSummary[], { whose, catalog }: Choice, trainee: string) {
  const told = requests.filter((request) => !isFile(request) && (whose === 'everybody' || isMine(request, trainee)));
  const others = told.filter((request) => !isCatalogRead(request));
  return { shown: catalog ? told : others, catalogReads: told.length - others.length };
}
