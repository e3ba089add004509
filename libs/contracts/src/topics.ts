/** Every Kafka topic, once. The number of partitions never changes: the key's partition (murmur2) is part of the contract. */
export interface TopicSpec {
  readonly name: string;
  readonly partitions: number;
  readonly cleanup: 'delete' | 'compact';
  /** Milliseconds; -1 keeps for ever. Ignored for compacted topics. */
  readonly retentionMs: number;
  /** A copy of a topic keeps the times of its origin. The records of any other topic are stamped by the broker's clock. */
  readonly stampedBy?: 'origin';
}

const hourMs = 60 * 60 * 1000;
const dayMs = 24 * hourMs;

/**
 * `cart.events` is never compacted: compaction by cart would keep only its last event. `session.revocations` is read back for one
 * credential lifetime (minutes), because auth's database is the truth. Two heartbeats a second would fill days of storage for nothing.
 */
export const topics = {
  cartEvents: { name: 'cart.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  cartSnapshots: { name: 'cart.snapshots', partitions: 24, cleanup: 'compact', retentionMs: -1 },
  identityEvents: { name: 'identity.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  orderEvents: { name: 'order.events', partitions: 24, cleanup: 'delete', retentionMs: 90 * dayMs },
  sessionRevocations: { name: 'session.revocations', partitions: 1, cleanup: 'delete', retentionMs: hourMs },
} as const satisfies Record<string, TopicSpec>;

/** The topic for records that no retry could apply. It has the same partitions, so that the records of a key keep their order. */
export function deadLetterTopic(of: TopicSpec): TopicSpec {
  return { name: `${of.name}.dlq`, partitions: of.partitions, cleanup: 'delete', retentionMs: -1 };
}

/** The copy of another region's topic, as MirrorMaker names it. Its offsets are its own. */
export const mirroredTopic = (of: TopicSpec, region: string): TopicSpec => ({ ...of, name: `${region}.${of.name}` });

/** Record headers, beside the value. Header values are UTF-8. */
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
  /** On a redriven record: its offset in the dead-letter topic, where it waited. */
  redriveOf: 'redrive-of',
  /** In a shop of several regions: which log a cart event was first appended to. */
  logId: 'log-id',
  /** On a copy that another region's MirrorMaker made: where the record stands in its own log. infra/kafka/mirror/OriginHeaders.java writes both. */
  logPartition: 'log-partition',
  logOffset: 'log-offset',
} as const;

/** Metadata keys of a call inside the mesh. */
export const callMetadata = {
  passport: 'x-passport',
  /** The access token of a session in the modes jwt and jwt-denylist. It replaces the passport: a call never carries both. */
  accessToken: 'x-access-token',
  traceparent: 'traceparent',
  experiment: 'x-experiment-id',
  /** Proof that the caller belongs to this start of the shop, where there are no certificates (embedded). */
  meshSecret: 'x-mesh-secret',
  consistency: 'x-consistency-token',
  /** Trailer: a Problem as JSON. */
  problem: 'x-problem-bin',
  /** Trailer: Server-Timing entries of this hop. */
  serverTiming: 'x-server-timing',
} as const;
