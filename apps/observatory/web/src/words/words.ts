/** Every term that the page uses, in one sentence, with the file that does it. A test looks whether these files exist. */

export interface Word {
  readonly term: string;
  readonly meaning: string;
  readonly file: string;
}

const word = (term: string, meaning: string, file: string): Word => ({ term, meaning, file });

export const words = {
  trainee: word(
    'trainee',
    'A random id that this page made for your browser, so that your requests and your faults are told from others’.',
    'apps/observatory/web/src/api/trainee.ts',
  ),
  hop: word(
    'hop',
    'One stretch of work in one place: a route, a call, a query, a publish; telemetry calls it a span.',
    'libs/platform/src/trace.ts',
  ),
  lane: word(
    'lane',
    'One line of the drawing is one place where work was done: a process, a store, a log or a browser.',
    'apps/observatory/src/api.ts',
  ),
  path: word(
    'critical path',
    'The chain of work that the answer waited for; work beside it made nobody wait.',
    'apps/observatory/src/api.ts',
  ),
  share: word(
    'share',
    'The part of the time until the answer that was spent in this hop itself, without what it called.',
    'apps/observatory/src/api.ts',
  ),
  after: word(
    'after the answer',
    'Work that the request caused, but that its answer did not wait for: logs carry it on.',
    'apps/auth/src/operations/relay.ts',
  ),
  decision: word(
    'decision',
    'How this hop came to believe who calls, for example out of a cache or by asking auth.',
    'apps/gateway/src/identity/identify-caller.ts',
  ),
  hit: word(
    'hit',
    'The gateway still knew this session, and the revocation feed is fresh enough to trust that.',
    'apps/gateway/src/identity/identity-cache.ts',
  ),
  asked: word(
    'asked',
    'The gateway did not know this session, or must not trust its cache, and asked auth.',
    'apps/gateway/src/identity/resolve-at-auth.ts',
  ),
  joined: word(
    'joined',
    'Another request was asking auth the same at that moment, and this one shared the answer.',
    'apps/gateway/src/identity/identity-cache.ts',
  ),
  degraded: word(
    'degraded',
    'auth did not answer, so the gateway used what it knew, until the passport ends at the latest.',
    'apps/gateway/src/identity/identity-cache.ts',
  ),
  local: word(
    'local',
    'The token says by itself who its holder is, and the gateway verified the signature without asking.',
    'apps/gateway/src/identity/identify-self-contained-token.ts',
  ),
  refreshed: word(
    'refreshed',
    'The access token had ended, and auth exchanged the refresh token for a new pair.',
    'apps/auth/src/tokens/refresh.ts',
  ),
  caller: word(
    'caller',
    'The service on the other end of the connection, known by its certificate, or by a secret of this start in one process.',
    'libs/identity/src/admission.ts',
  ),
  credential: word(
    'credential',
    'What the hop was shown as proof of the person: a cookie, a passport, an access token, or nothing.',
    'libs/mesh/src/metadata.ts',
  ),
  passport: word(
    'passport',
    'A statement of who calls, signed by auth for exactly one service, and good for 60 s at most.',
    'libs/identity/src/passport.ts',
  ),
  claims: word(
    'claims',
    'What a passport says, decoded; the page never sees the passport itself or its signature.',
    'libs/identity/src/passport.ts',
  ),
  subject: word('subject', 'The person that the request is for: u_ is a user, g_ is a guest.', 'libs/contracts/src/ids.ts'),
  session: word(
    'session',
    'The public handle of a session; it stays the same when the secret token changes.',
    'apps/auth/src/sessions/session-view.ts',
  ),
  mode: word(
    'mode',
    'How a session is checked: hybrid may be cached, reference never, jwt modes carry their own proof.',
    'apps/gateway/src/identity/self-contained-tokens.ts',
  ),
  actors: word(
    'acted before',
    'Services that already acted for the person on the way here, first to last.',
    'apps/auth/src/tokens/exchange-token.ts',
  ),
  lease: word(
    'lease age',
    'Time since auth’s last word about ended sessions; at 2 s no cache may be trusted any more.',
    'libs/identity/src/revocation-feed.ts',
  ),
  policy: word(
    'policy',
    'The rule of this route or rpc: which identity, which callers, how sensitive.',
    'libs/contracts/proto/cloakroom/policy/v1/policy.proto',
  ),
  refusal: word('refusal', 'The check that said no, and its code.', 'libs/contracts/src/errors.ts'),
  budget: word(
    'budget',
    'The time that a request may take in all; a call below gets what is left of it, and never more than its own limit.',
    'libs/mesh/src/client/grpc-client.ts',
  ),
  log: word(
    'log',
    'Kafka keeps records in order within a partition; the offset is the place of a record in it.',
    'libs/event-log/src/event-log.ts',
  ),
  offset: word('offset', 'The place of a record in its partition; it never changes.', 'libs/event-log/src/event-log.ts'),
  token: word(
    'consistency token',
    'The position in the log that an answer tells a device, so that its next read shows no less.',
    'apps/cart/src/reads/consistency.ts',
  ),
  dot: word(
    'dot',
    'The name of one addition; an addition and its removal may arrive in any order, and the cart comes out the same.',
    'apps/cart/src/model/cart.ts',
  ),
  lag: word('lag', 'Records that the log holds and a reader has not done with yet.', 'libs/event-log/src/event-log.ts'),
  projector: word(
    'projector',
    'The part of cart that reads the log and computes the view that pages show.',
    'apps/cart/src/projection/projector.ts',
  ),
  unattributed: word(
    'unexplained',
    'Time until the answer that no hop accounts for: networks, queues, and code without a span.',
    'apps/observatory/src/api.ts',
  ),
  rate: word('rate', 'Calls a second along this edge, over the last 10 s.', 'apps/observatory/src/api.ts'),
  p99: word('p99', 'Of the calls of the last 10 s, 99 in 100 took at most this long.', 'apps/observatory/src/api.ts'),
  process: word('process', 'A program of the running shop, started and watched by the supervisor.', 'infra/supervisor/supervisor.ts'),
  mirror: word(
    'mirror',
    'Kafka’s MirrorMaker: it reads the log of the other region across the ocean and writes a copy here.',
    'infra/native/mirror.ts',
  ),
  rtt: word('round trip', 'The time from one region to the other and back; half of it passes each way.', 'infra/ocean/ocean.ts'),
  pause: word('pause', 'The kernel stops the process: its connections stay open, but it answers nobody.', 'infra/supervisor/supervisor.ts'),
  kill: word(
    'kill',
    'The process ends at once and says good-bye to nobody; the supervisor starts another one.',
    'infra/supervisor/supervisor.ts',
  ),
  restart: word('restart', 'The process finishes what it has begun, ends, and is started again.', 'infra/supervisor/supervisor.ts'),
  fault: word('fault', 'A disturbance at a named point of the shop, with a strength, a scope and an end.', 'libs/contracts/src/faults.ts'),
  scope: word('scope', 'Whom a fault is for: your own requests alone, or everybody’s.', 'libs/contracts/src/faults.ts'),
  blast: word(
    'blast radius',
    'What still works while something is broken: as the failure matrix promises it, and as it is seen now.',
    'docs/failures.md',
  ),
  forgery: word(
    'forgery',
    'A false passport that the Observatory really sends, to show which check refuses it.',
    'libs/identity/src/passport.ts',
  ),
  lab: word('lab', 'One claim put to the test: you predict, it runs on real code, and an interval decides.', 'labs/runner/lab.ts'),
  arm: word(
    'arm',
    'One of the ways that a lab compares; the arms differ in one thing, and are measured in turn.',
    'labs/runner/measure.ts',
  ),
  control: word(
    'control',
    'One arm measured twice in each round; where it differs from itself, the run says nothing about the others.',
    'labs/runner/judge.ts',
  ),
  interval: word(
    'interval',
    'Where the true median lies, by resampling the rounds; at most one run in a thousand is beyond either end.',
    'labs/runner/judge.ts',
  ),
  verdict: word(
    'verdict',
    'It holds where the whole interval is above a bound, and does not hold where all of it is below.',
    'labs/runner/judge.ts',
  ),
  load: word(
    'load',
    'Threads that wanted a processor when the run began; above the number of cores, they waited.',
    'labs/runner/measure.ts',
  ),
} as const satisfies Readonly<Record<string, Word>>;

export type WordName = keyof typeof words;

/** @returns the explanation of a decision, where its first word is one of the gateway's */
export function wordOfDecision(decision: string): WordName {
  const name = decision.split(/[\s,(]/)[0] ?? '';
  return name in words ? (name as WordName) : 'decision';
}
