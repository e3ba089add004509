/**
 * The operations of the failure matrix, each asked as a page asks it. A probe with a wrong body is refused whatever is broken, and says nothing: so a
 * refusal that is the asker's own mistake ends the run.
 */
import { randomBytes, randomUUID } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import {
  type FailureColumn,
  type FailureOperation,
  failureMatrix,
  failureOperations,
  failureOutcomeOf,
  failureOutcomes,
  uuidV7,
} from '@cloakroom/contracts';
import { cookiesOf, type Headers, type Mode, type Person, register, signIn } from '../bench/measuring/people.ts';
import { ask, type Ask, type Answered, must } from '../runner/ask.ts';
import type { Part } from './shops.ts';

/** Somebody with a session, as the gateway has it at hand. */
export interface Holder {
  readonly column: FailureColumn;
  readonly headers: Headers;
  readonly order: { readonly key: string; readonly body: object };
}

/** The mode that makes each column of the matrix. */
export const modeOf: Readonly<Record<FailureColumn, Mode>> = { known: 'hybrid', none: 'reference', jwt: 'jwt' };

export interface Crowd {
  readonly holders: readonly Holder[];
  /** A guest who signs in, and somebody who signs out, while the part is gone. */
  readonly guest: Headers;
  readonly leaving: Headers;
}

export interface Member {
  readonly column: FailureColumn;
  readonly person: Person;
  readonly addressId: string;
}

/** Operations of everybody in the crowd, in this order. */
const ofHolders = [
  'public',
  'cartRead',
  'cartWrite',
  'session',
  'profileRead',
  'profileWrite',
  'ordersRead',
  'streamOpened',
  'sensitive',
  'checkOut',
] as const satisfies readonly FailureOperation[];
const viewTimeoutMs = 10_000;

export interface Probed {
  readonly operation: FailureOperation;
  readonly column: FailureColumn;
  readonly failed: boolean;
  readonly predicted: boolean;
}

/** Whether the matrix says that it fails. With several parts gone, what fails for one of them fails. */
export function isPredicted(gone: readonly Part[], operation: FailureOperation, column: FailureColumn): boolean {
  const rows = failureMatrix.filter(({ part }) => gone.some((one) => one === part));
  return rows.some((row) => 'codes' in failureOutcomes[failureOutcomeOf(row, operation, column)]);
}

/** All that is tried, by whom. */
export const triedBy = (columns: readonly FailureColumn[]): (readonly [FailureOperation, FailureColumn])[] => [
  ...columns.flatMap((column) => ofHolders.map((operation) => [operation, column] as const)),
  ...(['login', 'logout', 'register'] as const).map((operation) => [operation, 'none'] as const),
];

export async function openProbes(gateway: string, columns: readonly FailureColumn[]) {
  const productId = await chooseProduct(gateway);
  const people = await register(gateway, columns.length);
  const members = await Promise.all(columns.map((column, index) => memberOf(gateway, column, people[index]!)));
  return {
    /** Signs everybody in, and makes the gateway know them. To be done while all is well. */
    async gather(): Promise<Crowd> {
      const holders = await Promise.all(members.map((member) => holderOf(gateway, member, productId)));
      const guest = { cookie: cookiesOf((await began(gateway)).answer) };
      const leaving = { cookie: (await signIn(gateway, members[0]!.person, 'hybrid'))! };
      await must(gateway, 'GET /api/session', 200, { headers: leaving });
      return { holders, guest, leaving };
    },
    async probe({ holders, guest, leaving }: Crowd, gone: readonly Part[]): Promise<Probed[]> {
      const one = async (operation: FailureOperation, column: FailureColumn, given: Ask): Promise<Probed> => {
        const predicted = isPredicted(gone, operation, column);
        return { operation, column, predicted, failed: await fails(gateway, operation, given, predicted) };
      };
      const { email, password } = members[0]!.person;
      const probed = await Promise.all([
        ...holders.map((holder) => inTurn(ofHolders, (operation) => one(operation, holder.column, givenTo(operation, holder, productId)))),
        inTurn(['login'], () => one('login', 'none', { headers: guest, body: { email, password, mode: 'hybrid' } })),
        inTurn(['logout'], () => one('logout', 'none', { headers: leaving })),
        inTurn(['register'], () => one('register', 'none', { body: newcomer() })),
      ]);
      return probed.flat();
    },
    /** Waits until everybody is served again. */
    async healed({ holders }: Crowd): Promise<void> {
      for (const { headers } of holders)
        for (const operation of ['cartRead', 'sensitive', 'ordersRead'] as const)
          await untilServed(gateway, failureOperations[operation].request, headers);
    },
  };
}

async function inTurn<One>(operations: readonly One[], probe: (operation: One) => Promise<Probed>): Promise<Probed[]> {
  const probed: Probed[] = [];
  for (const operation of operations) probed.push(await probe(operation));
  return probed;
}

const newCommandId = (): string => uuidV7(Date.now(), randomBytes(10));
const addition = (productId: string): object => ({ commandId: newCommandId(), productId, quantity: 1 });
const newcomer = (): object => ({ email: `new-${randomUUID()}@example.com`, password: 'correct horse battery staple', name: 'New' });

/** Each with the body that the route wants. */
function givenTo(operation: (typeof ofHolders)[number], { headers, order }: Holder, productId: string): Ask {
  if (operation === 'cartWrite') return { headers, body: addition(productId) };
  if (operation === 'profileWrite') return { headers, body: { preferences: { theme: 'dark' } } };
  if (operation === 'checkOut') return { headers: { ...headers, 'idempotency-key': order.key }, body: order.body };
  return { headers };
}

/** Something that works may be refused now and then, on a busy machine. */
const triesMax = 3;

async function fails(gateway: string, operation: FailureOperation, given: Ask, isExpected: boolean): Promise<boolean> {
  const { request } = failureOperations[operation];
  for (let tries = 1; ; tries++) {
    const { status, body } = operation === 'streamOpened' ? await openStream(gateway, request, given) : await ask(gateway, request, given);
    if (status >= 400 && status < 500) throw new Error(`the probe of ${request} is wrong: ${status} ${JSON.stringify(body)}`);
    if (status < 500) return false;
    if (isExpected || tries === triesMax) return true;
  }
}

/** A stream does not end by itself: it is closed once its status is known. */
async function openStream(gateway: string, request: string, { headers = {} }: Ask): Promise<Pick<Answered, 'status' | 'body'>> {
  const closing = new AbortController();
  const answer = await fetch(gateway + request.split(' ')[1]!, { headers: { origin: gateway, ...headers }, signal: closing.signal });
  const body: unknown = answer.status === 200 ? undefined : await answer.json();
  closing.abort();
  return { status: answer.status, body };
}

async function chooseProduct(gateway: string): Promise<string> {
  const { items } = (await must(gateway, 'GET /api/products?pageSize=100', 200, {})).body as {
    readonly items: readonly { readonly productId: string; readonly stock: number; readonly options: readonly unknown[] }[];
  };
  return items.filter(({ options }) => options.length === 0).toSorted((a, b) => b.stock - a.stock)[0]!.productId;
}

async function memberOf(gateway: string, column: FailureColumn, person: Person): Promise<Member> {
  const headers = { cookie: (await signIn(gateway, person, modeOf[column]))! };
  const address = { name: 'Ada', line1: 'Cloak Street 1', city: 'Vienna', postalCode: '1010', country: 'AT' };
  const { body } = await must(gateway, 'PATCH /api/profile', 200, { headers, body: { addresses: [address] } });
  return { column, person, addressId: body.addresses[0].addressId as string };
}

async function holderOf(gateway: string, { column, person, addressId }: Member, productId: string): Promise<Holder> {
  const headers = { cookie: (await signIn(gateway, person, modeOf[column]))! };
  const added = await must(gateway, 'POST /api/cart/lines', 202, { headers, body: addition(productId) });
  const cookie = `${headers.cookie}; consistency=${added.headers.get('consistency-token')}`;
  const giveUpMs = performance.now() + viewTimeoutMs;
  while ((await must(gateway, 'GET /api/cart', 200, { headers: { cookie } })).body.stale === true)
    if (performance.now() > giveUpMs) throw new Error('the cart did not show a new line in time');
  for (const operation of ['session', 'profileRead', 'ordersRead'] as const)
    await must(gateway, failureOperations[operation].request, 200, { headers });
  return { column, headers, order: { key: newCommandId(), body: { addressId, seen: added.body.seen as string } } };
}

async function began(gateway: string): Promise<{ readonly answer: Response }> {
  const headers = { origin: gateway, 'content-type': 'application/json' };
  const answer = await fetch(`${gateway}/api/session/guest`, { method: 'POST', headers, body: '{}' });
  if (!answer.ok) throw new Error(`a guest could not begin: ${answer.status}`);
  return { answer };
}

/** Connections come back within a second, and breakers close after them. */
const healTimeoutMs = 60_000;
const lookIntervalMs = 100;

async function untilServed(gateway: string, request: string, headers: Headers): Promise<void> {
  const giveUpMs = performance.now() + healTimeoutMs;
  while ((await ask(gateway, request, { headers })).status !== 200) {
    if (performance.now() > giveUpMs) throw new Error(`${request} is not served again`);
    await delay(lookIntervalMs);
  }
}
