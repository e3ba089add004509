import type { Clock, EventLog, Logger } from '@cloakroom/platform';
import type { OrdersConfig } from './config.ts';
import type { Database } from './orders.ts';
import type { OrdersParts } from './parts.ts';

export interface Keeper {
  start(parts: OrdersParts): void;
  wake(): void;
  keeps(): boolean;
  stop(): Promise<void>;
}

export function openKeeper(_: {
  readonly config: OrdersConfig;
  readonly db: Database;
  readonly eventLog: EventLog;
  readonly log: Logger;
  readonly clock: Clock;
}): Keeper {
  return { start: () => undefined, wake: () => undefined, keeps: () => false, stop: () => Promise.resolve() };
}
