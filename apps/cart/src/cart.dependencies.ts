/** The dependencies of the use cases: ports, the clock, the rules and the names of topics. */
import { topics, type TopicSpec } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import type { Clock, Logger } from '@cloakroom/platform';
import type { Evolve } from './projection/apply-record.ts';
import type { CartView } from './projection/cart.view.ts';
import type { MirroredLog } from './projection/two-logs.ts';

export interface CartTopics {
  readonly events: TopicSpec;
  /** Absent in a shop of one region. */
  readonly mirrors?: readonly MirroredLog[];
  readonly snapshots: TopicSpec;
  readonly identity: TopicSpec;
  readonly orders: TopicSpec;
}

export const cartTopics: CartTopics = {
  events: topics.cartEvents,
  snapshots: topics.cartSnapshots,
  identity: topics.identityEvents,
  orders: topics.orderEvents,
};

export interface CartParts {
  readonly eventLog: EventLog;
  readonly view: CartView;
  readonly clock: Clock;
  readonly log: Logger;
  readonly topics: CartTopics;
  readonly region: string;
  /** Applies an event to a cart: the rules of model/cart.ts. */
  readonly evolve: Evolve;
  /** Set by a replay into a view that does not serve yet: it forwards no guest and writes no snapshot. */
  readonly replays?: boolean;
}
