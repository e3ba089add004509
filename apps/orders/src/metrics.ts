/** What an operator watches of orders. No label names a person or an order. */
import type { Clock } from '@cloakroom/platform';
import type { Database } from './orders.ts';

/** The tables that the gauges look at. @returns stops it, before the database is closed */
export function watchOrdersTables(_: { readonly db: Database; readonly clock: Clock }): () => void {
  return () => undefined;
}
