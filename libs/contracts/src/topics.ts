/** Every Kafka topic, once. Partitions are fixed: the key's partition is part of the contract (murmur2). */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  /** Milliseconds; -1 keeps for ever. Ignored for compacted topics. */
  readonly retentionMs: number;
}

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/**
 * `cart.events` is never compacted: compaction by cart would keep only its last event. `session.revocations` is read back one credential lifetime
 * (minutes); its truth is auth's database, and two heartbeats a second would fill days for nothing.
 */
export const topics = {
  cartEvents: { name: 'cart.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  cartSnapshots: { name: 'cart.snapshots', partitions: 24, cleanup: 'compact', retentionMs: -1 },
  identityEvents: { name: 'identity.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  orderEvents: { name: 'order.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  sessionRevocations: { name: 'session.revocations', partitions: 1, cleanup: 'delete', retentionMs: hourMs },
} as const satisfies Record<string, TopicSpec>;

/** Where records go that no retry could apply: same partitions, so that a key keeps its order. */
export function deadLetterTopic(of: TopicSpec): TopicSpec {
  return { name: `${of.name}.dlq`, partitions: of.partitions, cleanup: 'delete', retentionMs: -1 };
}

/** Record headers, beside the value. Values are UTF-8. */
export const recordHeaders = {
  eventType: 'event-type',
  eventVersion: 'event-version',
  traceparent: 'traceparent',
  experiment: 'x-experiment-id',
  /** Detached JWS of the value, on topics that auth writes. */
  signature: 'jws',
  originTopic: 'origin-topic',
  originPartition: 'origin-partition',
  originOffset: 'origin-offset',
  originReason: 'origin-reason',
  /** On a redriven record: the offset that waited in the dead-letter topic. */
  redriveOf: 'redrive-of',
  /** RESERVED for several regions: which log a cart event was first appended to. Nothing writes or reads it yet. */
  logId: 'log-id',
} as const;

/** Metadata keys of a call inside the mesh. */
export const callMetadata = {
  passport: 'x-passport',
  /** Of a session in the modes jwt and jwt-denylist, instead of a passport: never both. */
  accessToken: 'x-access-token',
  traceparent: 'traceparent',
  experiment: 'x-experiment-id',
  /** Where there are no certificates (embedded): that the caller belongs to this start of the shop. */
  meshSecret: 'x-mesh-secret',
  consistency: 'x-consistency-token',
  /** Trailer: a Problem as JSON. */
  problem: 'x-problem-bin',
  /** Trailer: Server-Timing entries of this hop. */
  serverTiming: 'x-server-timing',
} as const;
