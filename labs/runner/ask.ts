/** One request to a shop that a lab runs, by a person whose cookies stay as they are. */
export interface Ask {
  readonly headers?: Readonly<Record<string, string>>;
  readonly body?: unknown;
  /** The person leaves then. An answer that never comes fails here. */
  readonly patienceMs?: number;
}

export interface Answered {
  readonly status: number;
  // oxlint-disable-next-line typescript/no-explicit-any -- the answer of the API; the lab knows its shape
  readonly body: any;
  readonly headers: Headers;
  readonly tookMs: number;
}

/** Far above the longest budget of a route. */
const patienceUsualMs = 30_000;

/** @param request "GET /api/cart" */
export async function ask(gateway: string, request: string, { headers = {}, body, patienceMs = patienceUsualMs }: Ask): Promise<Answered> {
  const [method = '', path = ''] = request.split(' ');
  const startedMs = performance.now();
  const answer = await fetch(gateway + path, {
    method,
    signal: AbortSignal.timeout(patienceMs),
    headers: { origin: gateway, ...(body !== undefined && { 'content-type': 'application/json' }), ...headers },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
  const text = await answer.text();
  const tookMs = performance.now() - startedMs;
  return { status: answer.status, body: text === '' ? undefined : JSON.parse(text), headers: answer.headers, tookMs };
}

/** As `ask`, and any other status than this one ends the run. */
export async function must(gateway: string, request: string, status: number, more: Ask): Promise<Answered> {
  const answered = await ask(gateway, request, more);
  if (answered.status !== status) throw new Error(`${request}: ${answered.status} ${JSON.stringify(answered.body)}`);
  return answered;
}
