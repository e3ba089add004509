import { type EventLog, lookAtLog } from '@cloakroom/event-log';
import type { PartStatus, Readiness } from '@cloakroom/platform';
import type { OrdersConfig } from './config.ts';
import type { Database } from './orders.ts';
import type { OrderNotices } from './reads/order-notices.ts';
import type { BackgroundWorker } from './saga/background-worker.ts';

export interface ReadinessParts {
  readonly db: Database;
  readonly eventLog: EventLog;
  readonly worker: Pick<BackgroundWorker, 'leads'>;
  readonly notices: Pick<OrderNotices, 'subscribed'>;
  readonly feedStatus: () => PartStatus;
}

/** Readiness ignores the services that orders calls: orders can be read without them, and an order waits for them. */
export async function lookAtParts(
  { db, eventLog, worker, notices, feedStatus }: ReadinessParts,
  config: Pick<OrdersConfig, 'EVENT_LOG' | 'PROVIDER'>,
): Promise<Readiness> {
  const [, log] = await Promise.all([db.selectFrom('orders').select('order_id').limit(1).execute(), lookAtLog(eventLog, config.EVENT_LOG)]);
  return {
    database: { ok: true },
    eventLog: { ok: true, ...log, subscribed: notices.subscribed() },
    feed: feedStatus(),
    // One replica of all holds the lease. The others are as ready.
    worker: { ok: true, here: worker.leads() },
    provider: { ok: true, name: config.PROVIDER },
  };
}
