/**
 * Fuzzing of the running system: HTTP, tokens, metadata of calls, records of the log. It sends 5,000 inputs,
 * or as many as CLOAKROOM_FUZZ_INPUTS says (`npm run fuzz`). No input may cause a 5xx, a crash, a hang or an
 * identity, and memory must stay within a bound.
 */
import fc from 'fast-check';
import { identityEventsOf, publishAll, revocationsOf } from './fuzz.records.ts';
import { expect, newPerson, test } from '../../e2e/kit/device.ts';
import { dataDir, gateways, portBase, processId } from '../../e2e/kit/stack.ts';
import { cartPath, connectionTo, passportFor, shownTo } from '../../e2e/kit/mesh.ts';
import { signedIn, expectDead } from '../../e2e/kit/person.ts';
import { plain, posted, sessionCookieOf } from '../../e2e/kit/raw.ts';
import { readDoors, send, throwsAt, type Throw } from './fuzz.doors.ts';
import { mutated } from './fuzz.inputs.ts';

const inputs = Number(process.env['CLOAKROOM_FUZZ_INPUTS'] ?? 5_000);
const seed = Number(process.env['CLOAKROOM_FUZZ_SEED'] ?? Date.now() % 2 ** 31);
/** The share of inputs of each kind. */
const shares = { http: 0.25, metadata: 0.3, records: 0.45 };
const atOnce = 24;
/** More than the usual variation of the heap under this load. */
const growthMaxMb = 250;
const services = ['gateway-1', 'gateway-2', 'auth', 'cart', 'profile', 'catalog', 'orders'] as const;
const minutes = 60_000;
test.describe.configure({ mode: 'serial' });
test.setTimeout(Math.max(2, inputs / 12_500) * minutes);

/** Runs a property over so many inputs, some at once. A failure is not shrunk, but it is printed, and its seed repeats it. */
async function over<T>(
  kind: string,
  count: number,
  arbitrary: fc.Arbitrary<T>,
  check: (input: T, at: number) => Promise<void>,
): Promise<void> {
  const size = Math.ceil(count);
  console.log(`fuzz ${kind}: ${size} inputs, seed ${seed} (data in ${dataDir.split('/').at(-1)})`);
  for (let done = 0, round = 0; done < size; done += 1_000, round++) {
    const some = fc.sample(arbitrary, { numRuns: Math.min(1_000, size - done), seed: seed + round });
    let next = 0;
    const worker = async (): Promise<void> => {
      while (next < some.length) {
        const at = next++;
        await check(some[at]!, done + at);
      }
    };
    await Promise.all(Array.from({ length: atOnce }, worker));
  }
}

/** It does not use `expect`, which keeps a record of each call: 100,000 records take more time than the checks themselves. */
function must(holds: boolean, shown: () => string): void {
  if (!holds) throw new Error(shown());
}

/** grpc 13: the message could not be parsed. grpc none: the server closed the call without a status. */
const refusals = new Set(['invalid_passport', 'session_required', 'grpc 13', 'grpc none']);

let before: { readonly pids: number[]; readonly megabytes: number };
const residentMb = async (): Promise<number> => {
  const sizes = await Promise.all(
    [
      ...gateways.map((gateway) => `${gateway}/metrics`),
      ...[111, 121, 131].map((offset) => `http://127.0.0.1:${portBase + offset}/metrics`),
    ].map(async (url) => Number(/^process_resident_memory_bytes (\S+)/m.exec(await (await fetch(url)).text())?.[1] ?? 0)),
  );
  return sizes.reduce((sum, size) => sum + size, 0) / 1024 / 1024;
};

test.beforeAll(async () => {
  before = { pids: services.map(processId), megabytes: await residentMb() };
});

test('no request is answered by a server error, a hang or an identity', async () => {
  const alive = await signedIn();
  const dead = await signedIn();
  await posted('/api/session/logout', {}, { headers: { cookie: sessionCookieOf(dead.token) } });
  await expectDead(dead.token, 'the dead token');
  const doors = await readDoors();
  expect(doors.length).toBeGreaterThan(20);
  const addresses = Array.from({ length: 250 }, (_, at) => `127.9.${Math.floor(at / 50)}.${(at % 50) + 1}`);
  const statuses = new Map<number, number>();
  let slowestMs = 0;
  // A first write and these two routes are allowed to begin a session, for any caller.
  const begins = ({ method, path }: Throw): boolean => method === 'POST' && /^\/api\/(session\/(guest|register)|cart\/lines)/.test(path);
  await over('http', inputs * shares.http, throwsAt(doors, [alive.token, dead.token]), async (thrown, at) => {
    const began = performance.now();
    const answer = await send(thrown, addresses[at % addresses.length]!, gateways[at % 2]!);
    statuses.set(answer.status, (statuses.get(answer.status) ?? 0) + 1);
    slowestMs = Math.max(slowestMs, performance.now() - began);
    const shown = () => `${JSON.stringify(thrown)} -> ${answer.status} ${answer.body.slice(0, 300)}`;
    must(answer.status < 500, shown);
    must(!answer.setsSession || begins(thrown), shown);
    must(!answer.body.includes(alive.email) && !answer.body.includes(dead.email), shown);
  });
  console.log(`fuzz http: answers ${JSON.stringify(Object.fromEntries(statuses))}, the slowest after ${Math.round(slowestMs)} ms`);
  expect((await plain('/api/session', { headers: { cookie: sessionCookieOf(alive.token) } })).body).toContain(alive.email);
});

test('no call metadata and no changed passport gives an identity', async () => {
  const { token } = await signedIn();
  let passport = await passportFor(token, 'cart');
  let since = performance.now();
  const names = fc.constantFrom(
    'x-passport',
    'x-passport',
    'x-passport',
    'x_passport',
    'x-passport-bin',
    'x-access-token',
    'traceparent',
    'x-consistency-token',
    'x-experiment-id',
  );
  const changes = fc.array(fc.tuple(names, mutated('\u0001'.repeat(passport.length))), { minLength: 1, maxLength: 3 });
  const connections = Array.from({ length: 6 }, () => connectionTo('cart'));
  await over('metadata', inputs * shares.metadata, changes, async (fields, at) => {
    // The edits are made to a passport that is good at this moment: an old one would be refused for its age.
    if (performance.now() - since > 30_000) {
      since = performance.now();
      passport = await passportFor(token, 'cart');
    }
    const spoilt = (text: string): string =>
      Array.from(text)
        .map((letter, at) => (letter === '\u0001' ? (passport[at] ?? 'A') : letter))
        .join('')
        .replace(/[^\x20-\x7e]/g, '?');
    const metadata = Object.fromEntries(fields.map(([name, text]) => [name, spoilt(text)]));
    if (metadata['x-passport']?.trim() === passport) return;
    const connection = connections[at % connections.length]!;
    const { code } = await connection.call(cartPath, metadata);
    must(refusals.has(code), () => `${JSON.stringify(metadata)} -> ${code}`);
  });
  connections.forEach((connection) => connection.close());
  expect(await shownTo('cart', await passportFor(token, 'cart'))).toBe('ok');
});

test('no record of the log stops its readers, takes a cart or ends a session', async ({ newDevice, products }) => {
  const victim = await newDevice();
  await victim.add(products[0]!, 1);
  const { cartId } = await victim.expectCart({ [products[0]!]: 1 });
  const thief = await newDevice();
  await thief.register(newPerson());
  const { token } = await signedIn();
  const half = Math.ceil((inputs * shares.records) / 2);
  console.log(`fuzz records: ${2 * half} inputs, seed ${seed}`);
  await publishAll('identityEvents', fc.sample(await identityEventsOf(cartId), { numRuns: half, seed }));
  await publishAll('sessionRevocations', fc.sample(await revocationsOf(), { numRuns: half, seed }));

  // The readers still work: a sign-in's merge passes through all partitions that got random records, and the feed is trusted again.
  const [device, person] = [await newDevice(), newPerson()];
  await device.add(products[1]!, 1);
  await device.expectCart({ [products[1]!]: 1 });
  await device.register(person);
  await expect.poll(async () => (await device.cart()).merge.state, { timeout: 60_000 }).toBe('merged');
  await victim.expectCart({ [products[0]!]: 1 });
  expect((await thief.cart()).lines).toEqual([]);
  const decision = async () => String((await plain('/api/cart', { headers: { cookie: sessionCookieOf(token) } })).headers['server-timing']);
  await expect.poll(decision, { timeout: 30_000 }).toContain('hybrid hit');
});

test('every process is still there, and none has grown without bound', async () => {
  expect(services.map(processId)).toEqual(before.pids);
  const grown = async () => (await residentMb()) - before.megabytes;
  await expect.poll(grown, { timeout: 20_000, message: 'MB in all' }).toBeLessThan(growthMaxMb * services.length);
});
