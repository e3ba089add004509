/**
 * The people who meet a fault in blast-radius.int.test.ts. For each column of the failure matrix there is a session, and each asks for every operation.
 * All of them send the id of one trainee.
 */
import { randomBytes } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  callMetadata,
  type FailureColumn,
  type FailureOperation,
  failureOperations,
  type FailureOutcome,
  failureOutcomes,
  uuidV7,
} from '@cloakroom/contracts';

/** An answer in the words of the matrix: `works`, `degraded`, `stale`, `guestView`, `staysOpen`, `ends`, or the code of a refusal. */
export type Word = string;

const newId = (): string => uuidV7(Date.now(), randomBytes(10));
/** A late answer is seen to be late by the budget of its route. One that never comes fails here. */
const neverMs = 60_000;
/** A shop on a starved machine takes so long until it serves somebody whose parts are all well. */
const wellWithinMs = 180_000;
const againMs = 250;
const operationNames = Object.keys(failureOperations) as readonly FailureOperation[];
/** These ask for no identity, so they have one column. */
const ofNobody: ReadonlySet<FailureOperation> = new Set(['login', 'register', 'logout']);
/** A mode for each column, with its session at hand at the one gateway that is asked. */
const modes: Readonly<Record<FailureColumn, string>> = { known: 'hybrid', jwt: 'jwt', none: 'reference' };
export const columns = Object.keys(modes) as readonly FailureColumn[];

export const cellsOf = (operation: FailureOperation): readonly FailureColumn[] => (ofNobody.has(operation) ? ['none'] : columns);

class Visitor {
  readonly cookies = new Map<string, string>();
  trainee: string | undefined;
  private readonly gateway: string;
  constructor(gateway: string) {
    this.gateway = gateway;
  }

  async open(request: string, body?: unknown, more: Record<string, string> = {}, signal = AbortSignal.timeout(neverMs)): Promise<Response> {
    const [method, path] = request.split(' ') as [string, string];
    const cookie = [...this.cookies].map(([name, value]) => `${name}=${value}`).join('; ');
    const answer = await fetch(this.gateway + path, {
      method,
      signal,
      headers: {
        origin: this.gateway,
        ...(cookie !== '' && { cookie }),
        ...(this.trainee !== undefined && { [callMetadata.experiment]: this.trainee }),
        ...(body !== undefined && { 'content-type': 'application/json' }),
        ...more,
      },
      ...(body !== undefined && { body: JSON.stringify(body) }),
    });
    for (const set of answer.headers.getSetCookie()) {
      const [pair = ''] = set.split(';');
      const at = pair.indexOf('=');
      this.cookies.set(pair.slice(0, at), pair.slice(at + 1));
    }
    return answer;
  }

  // oxlint-disable-next-line typescript/no-explicit-any -- a test client reads any answer
  async call(request: string, body?: unknown, more: Record<string, string> = {}): Promise<{ answer: Response; body: any }> {
    const answer = await this.open(request, body, more);
    const text = await answer.text();
    return { answer, body: text === '' ? undefined : JSON.parse(text) };
  }

  /** A request while all is well. It is repeated while it is refused with 503: a breaker may be closing, or the machine is busy. */
  // oxlint-disable-next-line typescript/no-explicit-any -- as above
  async must(request: string, body?: unknown): Promise<any> {
    for (const giveUpAtMs = Date.now() + wellWithinMs; ; await delay(againMs)) {
      const seen = await this.call(request, body);
      if (seen.answer.ok) return seen.body;
      if (seen.answer.status < 500 || Date.now() > giveUpAtMs)
        throw new Error(`${request}: ${seen.answer.status} ${JSON.stringify(seen.body)}`);
    }
  }

  /** A registration that was answered too late may have been done. So each attempt is another person. */
  async register(): Promise<Person> {
    for (const giveUpAtMs = Date.now() + wellWithinMs; ; await delay(againMs)) {
      const person = newPerson();
      const { answer } = await this.call('POST /api/session/register', person);
      if (answer.ok) return person;
      if (answer.status < 500 || Date.now() > giveUpAtMs) throw new Error(`a registration: ${answer.status}`);
    }
  }
}

const newPerson = () => ({ email: `${newId()}@example.com`, password: `pass ${newId()}`, name: 'Blast' });
type Person = ReturnType<typeof newPerson>;

interface Session {
  readonly visitor: Visitor;
  readonly order: object;
  /** Open since before the fault. */
  stream: Stream;
}

interface Stream {
  isOpen: boolean;
  readonly close: () => void;
}

export class Crowd {
  private constructor(
    private readonly gateway: string,
    private readonly productId: string,
    private readonly person: Person,
    private readonly sessions: Readonly<Record<FailureColumn, Session>>,
    private readonly arriving: Visitor,
    private readonly leaving: Visitor,
  ) {}

  /** Signs in while all is well: each column knows its session, for each service. */
  static async gather(gateway: string, trainee: string): Promise<Crowd> {
    const first = new Visitor(gateway);
    const person = await first.register();
    const address = { name: person.name, line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };
    const { addresses } = await first.must('PATCH /api/profile', { addresses: [address] });
    const { items } = await first.must('GET /api/products?pageSize=50');
    const { productId } = items.find(({ options }: { options: unknown[] }) => options.length === 0);
    const { seen } = await first.must('POST /api/cart/lines', { productId, quantity: 1, commandId: newId() });
    const sessionOf = async (column: FailureColumn): Promise<readonly [FailureColumn, Session]> => {
      const visitor = await signedIn(gateway, person, modes[column]);
      for (const operation of ['public', 'cartRead', 'session', 'profileRead', 'ordersRead'] as const)
        await visitor.must(failureOperations[operation].request);
      visitor.trainee = trainee;
      const stream = (await streamOf(visitor)).stream!;
      return [column, { visitor, stream, order: { addressId: addresses[0].addressId, seen } }];
    };
    const arriving = new Visitor(gateway);
    await arriving.must('POST /api/session/guest', {});
    const leaving = await signedIn(gateway, person, 'hybrid');
    arriving.trainee = leaving.trainee = trainee;
    const sessions = Object.fromEntries(await Promise.all(columns.map(sessionOf))) as Record<FailureColumn, Session>;
    return new Crowd(gateway, productId, person, sessions, arriving, leaving);
  }

  close(): void {
    for (const { stream } of Object.values(this.sessions)) stream.close();
  }

  async ask(operation: FailureOperation, column: FailureColumn): Promise<Word> {
    const { visitor, order } = this.sessions[column];
    const { request } = failureOperations[operation];
    switch (operation) {
      case 'streamOpen':
        return this.streamWord(this.sessions[column]);
      case 'streamOpened': {
        const { stream, word } = await streamOf(visitor);
        stream?.close();
        return word;
      }
      case 'cartWrite':
        return wordOf(await visitor.call(request, { productId: this.productId, quantity: 1, commandId: newId() }));
      case 'profileWrite':
        return wordOf(await visitor.call(request, { preferences: { theme: 'dark' } }));
      case 'checkOut':
        return wordOf(await visitor.call(request, order, { 'idempotency-key': newId() }));
      case 'login': {
        const { email, password } = this.person;
        return wordOf(await this.arriving.call(request, { email, password, mode: 'hybrid' }));
      }
      case 'register': {
        const somebody = new Visitor(this.gateway);
        somebody.trainee = this.arriving.trainee;
        return wordOf(await somebody.call(request, newPerson()));
      }
      case 'logout':
        return wordOf(await this.leaving.call(request));
      default:
        return wordOf(await visitor.call(request));
    }
  }

  /** On a busy machine auth may answer a check too late, and the stream ends. The next one is open for the next look, as in a browser. */
  private async streamWord(session: Session): Promise<Word> {
    if (session.stream.isOpen) return 'staysOpen';
    session.stream = (await streamOf(session.visitor)).stream ?? session.stream;
    return 'ends';
  }
}

async function signedIn(gateway: string, { email, password }: Person, mode: string): Promise<Visitor> {
  const visitor = new Visitor(gateway);
  await visitor.must('POST /api/session/login', { email, password, mode });
  return visitor;
}

async function streamOf(visitor: Visitor): Promise<{ readonly stream: Stream | undefined; readonly word: Word }> {
  const closing = new AbortController();
  const answer = await visitor.open(failureOperations.streamOpened.request, undefined, {}, closing.signal);
  if (!answer.ok) return { stream: undefined, word: wordOf({ answer, body: await answer.json() }) };
  const stream = { isOpen: true, close: () => closing.abort() };
  void (async () => {
    for await (const bytes of answer.body!) void bytes;
  })()
    .catch(() => undefined)
    .finally(() => (stream.isOpen = false));
  return { stream, word: wordOf({ answer, body: {} }) };
}

// oxlint-disable-next-line typescript/no-explicit-any -- a test client reads any answer
function wordOf({ answer, body }: { readonly answer: Response; readonly body: any }): Word {
  if (!answer.ok) return (body?.code as string | undefined) ?? String(answer.status);
  if (answer.headers.has('x-session-view')) return 'guestView';
  if (body?.stale === true) return 'stale';
  return /session;dur=[\d.]+;desc="\S+ degraded"/.test(answer.headers.get('server-timing') ?? '') ? 'degraded' : 'works';
}

/** Whether the answer is what the outcome says. A page of products for everybody works, whether or not the cached identity is old. */
export function isSaid(outcome: FailureOutcome, word: Word): boolean {
  const told = failureOutcomes[outcome];
  if ('codes' in told) return (told.codes as readonly string[]).includes(word);
  if (outcome === 'works' || outcome === 'merging') return word === 'works' || word === 'degraded';
  return word === outcome;
}

/** An outcome that no such answer has, to see that a wrong cell would be noticed. */
export function lieAbout(outcome: FailureOutcome): FailureOutcome {
  if (outcome === 'staysOpen') return 'ends';
  if (outcome === 'ends') return 'staysOpen';
  return 'codes' in failureOutcomes[outcome] ? 'works' : 'unavailable';
}

export { operationNames };
