/** The metrics of the mesh. Labels are names from the contract and codes from the error table, so their number is bounded. */
import { Counter, Gauge, Histogram } from 'prom-client';
import { metrics } from '@cloakroom/platform';

/** `side` is server or client. */
export const meshCalls = new Counter({
  name: 'mesh_calls_total',
  help: 'Calls inside the mesh by outcome; "ok" or a code of the error table.',
  labelNames: ['side', 'method', 'code'] as const,
  registers: [metrics],
});

export const meshCallSeconds = new Histogram({
  name: 'mesh_call_duration_seconds',
  help: 'Duration of unary calls inside the mesh.',
  labelNames: ['side', 'method'] as const,
  // From a cached answer on loopback to the longest budget of a contract.
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  registers: [metrics],
});

export const refusedMetadata = new Counter({
  name: 'mesh_refused_metadata_total',
  help: 'Metadata that was repeated, malformed or only resembled a name of the mesh.',
  labelNames: ['key', 'reason'] as const,
  registers: [metrics],
});

/** `upstream` is a service, `operation` a class of the contract. */
export const breakerStates = new Gauge({
  name: 'mesh_breaker_state',
  help: 'Circuit breakers: 0 closed, 1 half open, 2 open.',
  labelNames: ['upstream', 'operation'] as const,
  registers: [metrics],
});

export const breakerChanges = new Counter({
  name: 'mesh_breaker_changes_total',
  help: 'Changes of circuit breakers, by the state they came to.',
  labelNames: ['upstream', 'operation', 'to'] as const,
  registers: [metrics],
});

export const breakerRefusals = new Counter({
  name: 'mesh_breaker_refusals_total',
  help: 'Calls that an open breaker refused: nothing was sent.',
  labelNames: ['upstream', 'operation'] as const,
  registers: [metrics],
});

/** `dropped` must never happen: a server answered what was not asked, twice, or for somebody else. */
export const questionStreamsEnded = new Counter({
  name: 'mesh_question_streams_total',
  help: 'Streams of questions by their end at the client: retired, lost, unserved by an older build, dropped.',
  labelNames: ['method', 'end'] as const,
  registers: [metrics],
});
