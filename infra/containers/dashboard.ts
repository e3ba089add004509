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
    tells: 'Of both gateways, live streams left out. 503 is a part that is away; 429 somebody in a hurry.',
    unit: 'reqps',
    queries: [{ query: rate('gateway_request_duration_seconds_count', 'status'), legend: '{{status}}' }],
  },
  {
    title: 'Request latency',
    tells: 'Above the longest budget there is nothing: a request that takes longer was answered by its deadline.',
    unit: 's',
    queries: [0.5, 0.95, 0.99].map((q) => ({ query: quantile(q, 'gateway_request_duration_seconds'), legend: `p${q * 100}` })),
  },
  {
    title: 'Slowest routes (p95)',
    tells: 'The five that a person waits for longest.',
    unit: 's',
    queries: [{ query: `topk(5, ${quantile(0.95, 'gateway_request_duration_seconds', 'route')})`, legend: '{{route}}' }],
  },
  {
    title: 'How identity was found',
    tells: 'hit: from the leased cache; asked: auth was asked; degraded: auth is away and the cache serves on to the end of its passports.',
    unit: 'ops',
    queries: [{ query: rate('gateway_session_decisions_total', 'decision'), legend: '{{decision}}' }],
  },
  {
    title: 'Identity cache hit ratio',
    tells: 'Of the requests that bear a session. Falls to 0 while no lease is held.',
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
    tells: 'At 2 s it is over and auth is asked at each request: the feed of revocations is late or auth does not beat.',
    unit: 's',
    queries: [{ query: 'max by (process, reader) (revocation_lease_age_seconds)', legend: '{{process}} {{reader}}' }],
  },
  {
    title: 'From a revocation to its being heard (p99)',
    tells: 'How long an ended session could still be served elsewhere.',
    unit: 's',
    queries: [{ query: quantile(0.99, 'revocation_lag_seconds', 'process'), legend: '{{process}}' }],
  },
  {
    title: 'Outbox of auth: age of what waits',
    tells: 'What auth has committed and the log has not acknowledged. Grows while Kafka is away; nothing is lost by it.',
    unit: 's',
    queries: [{ query: 'max by (topic) (auth_outbox_oldest_seconds)', legend: '{{topic}}' }],
  },
  {
    title: 'Passwords that wait to be hashed',
    tells: 'At 32 the next is refused: a burst of sign-ins, or an attack.',
    unit: 'short',
    queries: [{ query: 'sum by (process) (auth_password_hashes_waiting)', legend: '{{process}}' }],
  },
  {
    title: 'Readers behind the log, in seconds',
    tells: 'Age of the oldest record that a reader has not done with. The cart page is as old as cart-projector.',
    unit: 's',
    queries: [{ query: 'max by (group, topic) (event_log_consumer_lag_seconds)', legend: '{{group}} {{topic}}' }],
  },
  {
    title: 'Readers behind the log, in records',
    tells: 'A number that only grows is a reader that cannot keep up, or is stuck on one record.',
    unit: 'short',
    queries: [{ query: 'sum by (group, topic) (event_log_consumer_lag_records)', legend: '{{group}} {{topic}}' }],
  },
  {
    title: 'Calls inside the mesh that failed',
    tells: 'By the code of docs/errors.md. forbidden and invalid_passport are never ordinary.',
    unit: 'ops',
    queries: [{ query: rate('mesh_calls_total', 'method, code', '{side="client", code!="ok"}'), legend: '{{method}} {{code}}' }],
  },
  {
    title: 'Calls inside the mesh (p95)',
    tells: 'As the caller sees them.',
    unit: 's',
    queries: [{ query: `topk(5, ${quantile(0.95, 'mesh_call_duration_seconds', 'method', '{side="client"}')})`, legend: '{{method}}' }],
  },
  {
    title: 'Refused',
    tells: 'Passports and metadata that no honest peer sends, and headers that only resemble identity. Not 0: look for who sends them.',
    unit: 'ops',
    queries: [
      { query: rate('mesh_refused_passports_total', 'audience, reason'), legend: 'passport {{audience}} {{reason}}' },
      { query: rate('mesh_refused_metadata_total', 'key, reason'), legend: 'metadata {{key}} {{reason}}' },
      { query: 'sum(rate(gateway_lookalike_headers_total[1m]))', legend: 'header' },
    ],
  },
  {
    title: 'Carts: written and shown',
    tells: 'Appended to the log, and applied to the view. The second follows the first within milliseconds.',
    unit: 'ops',
    queries: [
      { query: rate('cart_commands_appended_total', 'type'), legend: 'appended {{type}}' },
      { query: 'sum(rate(cart_records_projected_total[1m]))', legend: 'projected' },
      { query: rate('cart_stale_reads_total', 'reason'), legend: 'stale read {{reason}}' },
    ],
  },
  {
    title: 'Carts: merges and mishaps',
    tells: 'Claims and joins are people who sign in. Realignments are a view that was lost; a dead letter is a record to look at.',
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
    tells: 'Open streams of server-sent events, and what each process takes.',
    unit: 'short',
    queries: [
      { query: 'sum by (replica) (gateway_live_streams)', legend: 'streams of gateway {{replica}}' },
      { query: 'process_resident_memory_bytes / 1048576', legend: '{{process}} MB' },
    ],
  },
];
