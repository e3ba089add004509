/** What the use cases of this service are given: ports, the clock and the names of things. */
import { partitionOf, topics, type TopicSpec } from '@cloakroom/contracts';
import type { EventLog } from '@cloakroom/event-log';
import type { Clock, Logger } from '@cloakroom/platform';
import type { Evolve } from './projection/apply-record.ts';
import type { CartView } from './projection/cart.view.ts';

export interface CartTopics {
  readonly events: TopicSpec;
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
  /** What an event makes of a cart: the rules of model/cart.ts. */
  readonly evolve: Evolve;
  /** Of a replay into a view that does not serve yet: it forwards nothing, and writes no snapshots. */
  readonly replays?: boolean;
}

/** Events and snapshots of a cart have the same partition number: the topics have the same count. */
export const partitionOfCart = (parts: Pick<CartParts, 'topics'>, cartId: string): number => partitionOf(cartId, parts.topics.events);
