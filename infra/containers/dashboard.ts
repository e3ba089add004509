/**
 * The queries of the dashboard, panel by panel, in the order in which a person looks for a fault. A
 * test compares each metric with the code.
 */
export interface Panel {
  readonly title: string;
  /** Says what the panel shows, and what an unusual value means. */
  readonly tells: string;
  readonly unit: 'reqps' | 's' | 'percentunit' | 'short' | 'ops' | 'bytes';
  readonly queries: readonly { readonly query: string; readonly legend: string }[];
}

const rate = (metric: string, by: string, where = '') => `sum by (${by}) (rate(${metric}${where}[1m]))`;
const quantile = (q: number, metric: string, by = '', where = '') =>
  `histogram_quantile(${q}, sum by (le${by === '' ? '' : `, ${by}`}) (rate(${metric}_bucket${where}[1m])))`;

export const panels: readonly Panel[] = [
  {
    title: 'Requests by status',
    tells: 'Both gateways, without live streams. 503: a part is away. 429: a client sends too many requests.',
    unit: 'reqps',
    queries: [{ query: rate('gateway_request_duration_seconds_count', 'status'), legend: '{{status}}' }],
  },
  {
    title: 'Request latency',
    tells: 'No value is above the longest budget: a slower request was answered by its deadline.',
    unit: 's',
    queries: [0.5, 0.95, 0.99].map((q) => ({ query: quantile(q, 'gateway_request_duration_seconds'), legend: `p${q * 100}` })),
  },
  {
    title: 'Slowest routes (p95)',
    tells: 'The five routes that take longest.',
    unit: 's',
    queries: [{ query: `topk(5, ${quantile(0.95, 'gateway_request_duration_seconds', 'route')})`, legend: '{{route}}' }],
  },
  {
    title: 'How identity was found',
    tells: 'hit: from the leased cache. asked: auth was asked. degraded: auth is away, and the cache serves until its passports end.',
    unit: 'ops',
    queries: [{ query: rate('gateway_session_decisions_total', 'decision'), legend: '{{decision}}' }],
  },
  {
    title: 'Identity cache hit ratio',
    tells: 'Only requests with a session count. It falls to 0 while no lease is held.',
    unit: 'percentunit',
    queries: [
      {
        query:
          'sum(rate(gateway_session_decisions_total{decision=~"hit|joined"}[1m])) / sum(rate(gateway_session_decisions_total{decision=~"hit|joined|asked|degraded"}[1m]))',
        legend: 'hits',
      },
    ],
  },
  {
    title: 'Age of the lease on cached identity',
    tells: 'At 2 s the lease is over, and auth is asked at each request: the feed of revocations is late, or auth sends no heartbeat.',
    unit: 's',
    queries: [{ query: 'max by (process, reader) (revocation_lease_age_seconds)', legend: '{{process}} {{reader}}' }],
  },
  {
    title: 'Delay until a revocation is heard (p99)',
    tells: 'So long another process could still serve an ended session.',
    unit: 's',
    queries: [{ query: quantile(0.99, 'revocation_lag_seconds', 'process'), legend: '{{process}}' }],
  },
  {
    title: 'Outbox of auth: age of the oldest event',
    tells: 'Events that auth has committed and the log has not acknowledged. It grows while Kafka is away; no event is lost.',
    unit: 's',
    queries: [{ query: 'max by (topic) (auth_outbox_oldest_seconds)', legend: '{{topic}}' }],
  },
  {
    title: 'Passwords that wait to be hashed',
    tells: 'With 32 waiting the next one is refused: a burst of sign-ins, or an attack.',
    unit: 'short',
    queries: [{ query: 'sum by (process) (auth_password_hashes_waiting)', legend: '{{process}}' }],
  },
  {
    title: 'Readers behind the log, in seconds',
    tells: 'Age of the oldest record that a reader has not finished. The cart page is as old as the value of cart-projector.',
    unit: 's',
    queries: [{ query: 'max by (group, topic) (event_log_consumer_lag_seconds)', legend: '{{group}} {{topic}}' }],
  },
  {
    title: 'Readers behind the log, in records',
    tells: 'A number that only grows means that a reader is too slow, or stuck on one record.',
    unit: 'short',
    queries: [{ query: 'sum by (group, topic) (event_log_consumer_lag_records)', legend: '{{group}} {{topic}}' }],
  },
  {
    title: 'Calls inside the mesh that failed',
    tells: 'By the code of docs/errors.md. forbidden and invalid_passport are never normal.',
    unit: 'ops',
    queries: [{ query: rate('mesh_calls_total', 'method, code', '{side="client", code!="ok"}'), legend: '{{method}} {{code}}' }],
  },
  {
    title: 'Calls inside the mesh (p95)',
    tells: 'Latency as the caller measures it.',
    unit: 's',
    queries: [{ query: `topk(5, ${quantile(0.95, 'mesh_call_duration_seconds', 'method', '{side="client"}')})`, legend: '{{method}}' }],
  },
  {
    title: 'Refused',
    tells: 'Passports and metadata that no honest peer sends, and headers that only resemble identity. If it is not 0, find the sender.',
    unit: 'ops',
    queries: [
      { query: rate('mesh_refused_passports_total', 'audience, reason'), legend: 'passport {{audience}} {{reason}}' },
      { query: rate('mesh_refused_metadata_total', 'key, reason'), legend: 'metadata {{key}} {{reason}}' },
      { query: 'sum(rate(gateway_lookalike_headers_total[1m]))', legend: 'header' },
    ],
  },
  {
    title: 'Carts: written and shown',
    tells: 'Events appended to the log, and events applied to the view. The second follows the first within milliseconds.',
    unit: 'ops',
    queries: [
      { query: rate('cart_commands_appended_total', 'type'), legend: 'appended {{type}}' },
      { query: 'sum(rate(cart_records_projected_total[1m]))', legend: 'projected' },
      { query: rate('cart_stale_reads_total', 'reason'), legend: 'stale read {{reason}}' },
    ],
  },
  {
    title: 'Carts: merges and faults',
    tells: 'Claims and joins come from people who sign in. Realignments mean that a view was lost. A dead letter is a record to inspect.',
    unit: 'ops',
    queries: [
      { query: rate('cart_claims_total', 'outcome'), legend: 'claim {{outcome}}' },
      { query: 'sum(rate(cart_guest_joins_total[1m]))', legend: 'join' },
      { query: rate('cart_view_realignments_total', 'how'), legend: 'realigned {{how}}' },
      { query: rate('event_log_dead_letters_total', 'group, topic'), legend: 'dead letter {{group}} {{topic}}' },
    ],
  },
  {
    title: 'Live streams and memory',
    tells: 'Open streams of server-sent events, and the memory of each process.',
    unit: 'short',
    queries: [
      { query: 'sum by (replica) (gateway_live_streams)', legend: 'streams of gateway {{replica}}' },
      { query: 'process_resident_memory_bytes / 1048576', legend: '{{process}} MB' },
    ],
  },
];
