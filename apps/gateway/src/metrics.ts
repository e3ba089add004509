/** The gateway's metrics. Labels are names of routes and words of our own, so their number is bounded. */
import { metrics } from '@cloakroom/platform';
import { Counter, Gauge, Histogram } from 'prom-client';

export const lookalikeHeaders = new Counter({
  name: 'gateway_lookalike_headers_total',
  help: 'Inbound headers that resemble identity metadata; dropped.',
  registers: [metrics],
});

export const sessionDecisions = new Counter({
  name: 'gateway_session_decisions_total',
  help: 'How the identity of a request was found: hit, joined, asked, degraded, local, refreshed, stale, ended, none, unavailable.',
  labelNames: ['decision'] as const,
  registers: [metrics],
});

export const requestSeconds = new Histogram({
  name: 'gateway_request_duration_seconds',
  help: 'Duration of HTTP requests, live streams left out.',
  labelNames: ['method', 'route', 'status'] as const,
  // The buckets reach from a cached answer to the longest budget.
  buckets: [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5],
  registers: [metrics],
});

export const liveStreams = new Gauge({
  name: 'gateway_live_streams',
  help: 'Open streams of server-sent events.',
  labelNames: ['replica'] as const,
  registers: [metrics],
});

export const repeatedQuestions = new Counter({
  name: 'gateway_repeated_questions_total',
  help: 'Questions to auth whose connection broke: asked once more (sent), or not (refused by the budget).',
  labelNames: ['outcome'] as const,
  registers: [metrics],
});

export const shed = new Counter({
  name: 'gateway_shed_total',
  help: 'Requests that were refused because this replica had too much to do.',
  labelNames: ['operation', 'reason'] as const,
  registers: [metrics],
});
