import { topics, type TopicSpec } from '@cloakroom/contracts';

/** All topics that cross the ocean. The copy of `cart.events` of eu is `eu.cart.events` in us. */
export const mirroredTopics: readonly TopicSpec[] = [
  topics.cartEvents,
  topics.sessionRevocations,
  topics.identityEvents,
  topics.orderEvents,
];
