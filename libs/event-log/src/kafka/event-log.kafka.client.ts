/**
 * kafkajs 2.2.4 (frozen upstream), made safe: its timer loop, its sockets, its log and its errors. Nothing but event-log.kafka*.ts may import it.
 *
 * 1. Timer loop: an idle request queue re-arms `setTimeout` with a negative delay for ever (kafkajs issues 1751, 1556). Measured over 10 s on
 *    Node 24, one idle producer and one idle consumer: see docs/decisions/0003-kafkajs-behind-a-port.md. The prototype is patched once, at load.
 * 2. Sockets are ours, so that a client which hangs on a paused broker can be ended at once: `disconnect()` waits for pending answers.
 */
import { connect } from 'node:net';
import type { Socket } from 'node:net';
import { createRequire } from 'node:module';
import kafkajs from 'kafkajs';
import type { Kafka, LogEntry } from 'kafkajs';
import type { Clock } from '@cloakroom/platform';
import { EventLogError } from '../event-log.ts';
import type { EventLogErrorKind, EventLogReporter } from '../event-log.ts';

export interface KafkaOptions {
  /** host:port */
  readonly brokers: readonly string[];
  /** Replicas of topics that are made here; the broker's default unless set. */
  readonly replicationFactor?: number | undefined;
  readonly clientId: string;
  readonly log: EventLogReporter;
  readonly clock: Clock;
}

/** Long for a local broker (p99 25 ms), short enough for two attempts in a publish. The default of 30 s hangs a caller on a paused broker. */
export const requestTimeoutMs = 1_000;
const connectionTimeoutMs = 1_000;

/** Kafka protocol, api keys. */
export const apiKeys = { produce: 0, fetch: 1 } as const;

/** One request as it was passed to the socket. */
export interface SentRequest {
  readonly broker: string;
  readonly apiKey: number;
  readonly correlationId: number;
}

export interface KafkaClient {
  readonly kafka: Kafka;
  /** Ends every connection now, and refuses new ones, so kafkajs' background retries fail. */
  destroy(): void;
}

interface Retries {
  readonly retries: number;
  readonly maxRetryTimeMs: number;
}

/** Each producer, consumer and admin has a client of its own, so that discarding one ends no other. */
export function createClient(
  options: KafkaOptions,
  { retries, maxRetryTimeMs }: Retries,
  onSent?: (request: SentRequest) => void,
): KafkaClient {
  const sockets = new Set<Socket>();
  let destroyed = false;
  const open = (host: string, port: number, onConnect: () => void): Socket => {
    if (destroyed) throw new Error('this Kafka client was discarded');
    const socket = connect({ host, port, noDelay: true, keepAlive: true }, onConnect);
    sockets.add(socket);
    socket.on('close', () => sockets.delete(socket));
    if (onSent !== undefined) watch(socket, `${host}:${port}`, onSent);
    return socket;
  };
  const kafka = new kafkajs.Kafka({
    brokers: [...options.brokers],
    clientId: options.clientId,
    connectionTimeout: connectionTimeoutMs,
    requestTimeout: requestTimeoutMs,
    retry: {
      retries,
      initialRetryTime: 50,
      maxRetryTime: maxRetryTimeMs,
      factor: 0.2,
      multiplier: 2,
      restartOnFailure: () => Promise.resolve(false),
    },
    socketFactory: ({ host, port, onConnect }) => open(host, port, onConnect),
    logLevel: kafkajs.logLevel.INFO,
    logCreator: () => (entry) => report(options.log, entry),
  });
  return {
    kafka,
    destroy() {
      destroyed = true;
      // Destroyed with an error: kafkajs listens to "error" and "end", not to "close", and would wait for answers for ever.
      for (const socket of sockets) socket.destroy(new Error('this Kafka client was discarded'));
    },
  };
}

/** kafkajs writes one whole request a call: i32 size, i16 api key, i16 version, i32 correlation id. */
function watch(socket: Socket, broker: string, onSent: (request: SentRequest) => void): void {
  const write = socket.write.bind(socket) as (...args: unknown[]) => boolean;
  socket.write = ((...args: unknown[]) => {
    const bytes = args[0];
    if (Buffer.isBuffer(bytes) && bytes.length >= 12) onSent({ broker, apiKey: bytes.readInt16BE(4), correlationId: bytes.readInt32BE(8) });
    return write(...args);
  }) as Socket['write'];
}

/**
 * kafkajs' errors are mostly connections that it will retry, and the adapters report outages once. So this raises only errors that would otherwise
 * stay unseen: positions that no longer exist.
 */
function report(log: EventLogReporter, { namespace, log: { message, error, topic, partition, groupId, broker } }: LogEntry): void {
  const fields = { kafkajs: namespace, error, topic, partition, groupId, broker };
  if (message.startsWith('Offset out of range')) log.warn(fields, message);
  else log.debug(fields, message);
}

const fatalTypes = new Set([
  'MESSAGE_TOO_LARGE',
  'RECORD_LIST_TOO_LARGE',
  'INVALID_TOPIC_EXCEPTION',
  'TOPIC_AUTHORIZATION_FAILED',
  'GROUP_AUTHORIZATION_FAILED',
  'CLUSTER_AUTHORIZATION_FAILED',
  'UNKNOWN_TOPIC_OR_PARTITION',
  'INVALID_PARTITIONS',
  'INVALID_CONFIG',
  'UNSUPPORTED_VERSION',
]);
const fencedTypes = new Set(['INVALID_PRODUCER_EPOCH', 'PRODUCER_FENCED', 'TRANSACTION_COORDINATOR_FENCED']);

/** The broker's own answer at the root of a kafkajs error, where there is one. */
export function brokerAnswer(error: unknown): string | undefined {
  for (let at: unknown = error; at instanceof Error; at = at.cause) {
    if ('type' in at && typeof at.type === 'string') return at.type;
  }
  return undefined;
}

export function toEventLogError(error: unknown, what: string, outcomeUnknown: boolean): EventLogError {
  if (error instanceof EventLogError) return error;
  const answer = brokerAnswer(error);
  const kind: EventLogErrorKind =
    answer !== undefined && fencedTypes.has(answer) ? 'fenced' : answer !== undefined && fatalTypes.has(answer) ? 'fatal' : 'retriable';
  const why = answer ?? (error instanceof Error ? error.message : String(error));
  return new EventLogError(kind, `${what}: ${why}`, { outcomeUnknown, cause: error });
}

/** Rejects after the time, whatever the work does. A later failure of the work is ignored. */
export async function within<T>(work: Promise<T>, ms: number, what: string): Promise<T> {
  let timer: NodeJS.Timeout | undefined;
  const late = new Promise<never>((_, reject) => {
    timer = setTimeout(() => reject(new EventLogError('retriable', `${what}: no answer in ${ms} ms`, { outcomeUnknown: false })), ms);
  });
  try {
    return await Promise.race([work, late]);
  } finally {
    clearTimeout(timer);
    work.catch(() => undefined);
  }
}

interface RequestQueue {
  pending: unknown[];
  throttledUntil: number;
  throttleCheckTimeoutId: NodeJS.Timeout | null;
  checkPendingRequests(): void;
}

/** kafkajs' CHECK_PENDING_REQUESTS_INTERVAL. */
const checkPendingMs = 10;

function mendRequestQueue(): void {
  const require = createRequire(import.meta.url);
  const { version } = require('kafkajs/package.json') as { version: string };
  // The patch replaces a method by name. On another version it might do harm silently.
  if (version !== '2.2.4') throw new Error(`kafkajs ${version}: the patch of its request queue was made for 2.2.4; look at it again`);
  const { prototype } = require('kafkajs/src/network/requestQueue/index.js') as {
    prototype: RequestQueue & { scheduleCheckPendingRequests(): void };
  };
  prototype.scheduleCheckPendingRequests = function schedule(this: RequestQueue) {
    // Upstream arms a timer with nothing pending too. Its delay is "until the throttle of 1970 ends": negative, so at once, for ever.
    if (this.throttleCheckTimeoutId !== null || this.pending.length === 0) return;
    const throttledMs = this.throttledUntil - Date.now();
    this.throttleCheckTimeoutId = setTimeout(
      () => {
        this.throttleCheckTimeoutId = null;
        this.checkPendingRequests();
      },
      throttledMs > 0 ? throttledMs : checkPendingMs,
    );
  };
}

mendRequestQueue();
