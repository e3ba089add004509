/** The dependencies of the use cases: ports, the clock, the rules and the names of topics. */
import { deadLetterTopic, mirroredTopic, topics, type TopicSpec } from '@cloakroom/contracts';
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

/** @param others the other regions of the shop. The copies of their logs of carts are read beside this region's own log. */
export function topicsBeside(others: readonly string[]): CartTopics {
  if (others.length === 0) return cartTopics;
  // A copy keeps the times of its log: they say up to when that log was heard.
  const copyOf = (region: string): TopicSpec => ({ ...mirroredTopic(topics.cartEvents, region), stampedBy: 'origin' });
  return { ...cartTopics, mirrors: others.map((region) => ({ region, events: copyOf(region) })) };
}

/** All topics that cart needs before it follows its log. MirrorMaker would make a copy, but not before the other region has a cart. */
export function topicsToEnsure({ events, mirrors = [], snapshots, identity, orders }: CartTopics): TopicSpec[] {
  const logs = [events, ...mirrors.map((mirror) => mirror.events)];
  return [...logs, snapshots, identity, orders, ...logs.map(deadLetterTopic)];
}

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
