import { once } from 'node:events';
import { afterEach, expect, it, vi } from 'vitest';
import { openShores, type Client, type Shores } from './ocean.fixture.ts';
import type { Way } from './ocean.types.ts';

let shores: Shores;
afterEach(() => shores.close());

const answered = (client: Client, text: string) => vi.waitFor(() => expect(client.answers()).toBe(text), { timeout: 10_000 });
const ended = (client: Client) => vi.waitFor(() => expect(client.ended()).not.toBe(''), { timeout: 10_000 });
/** A client whose first word has been answered: its connection is established at both ends. */
async function established(from: 'eu' | 'us'): Promise<Client> {
  const client = await shores.dial(from);
  client.say('1');
  await answered(client, '1');
  return client;
}
const wayNow = (way: Way) => shores.ocean.status().ways.find((one) => one.way === way)!;

it('an answer takes a round trip, and the first one on a connection two: the handshake crosses too', async () => {
  const rttMs = 60;
  shores = await openShores(rttMs);
  const dialledMs = performance.now();
  const client = await shores.dial('us');
  const answerTo = async (text: string, sinceMs = performance.now()): Promise<number> => {
    client.say(text);
    await once(client.socket, 'data');
    return performance.now() - sinceMs;
  };
  // A timer may be early by a millisecond or two, once each way.
  expect(await answerTo('first', dialledMs)).toBeGreaterThanOrEqual(2 * rttMs - 6);
  expect(await answerTo('second')).toBeGreaterThanOrEqual(rttMs - 4);
  shores.ocean.obey({ do: 'rtt', rttMs: 200 });
  expect(await answerTo('third')).toBeGreaterThanOrEqual(196);
});

it('bytes keep their order when the round trip becomes shorter', async () => {
  shores = await openShores(0);
  const client = await established('eu');
  shores.ocean.obey({ do: 'rtt', rttMs: 400 });
  client.say('2');
  await shores.beside('us');
  shores.ocean.obey({ do: 'rtt', rttMs: 0 });
  client.say('3');
  await answered(client, '123');
  expect(shores.heard('us')).toBe('123');
});

it('a cut ends every connection, ends each new one, and is over with the heal', async () => {
  shores = await openShores(0);
  const clients = [await established('eu'), await established('us')];
  shores.ocean.obey({ do: 'cut' });
  for (const client of clients) await ended(client);
  await ended(await shores.dial('eu').catch(() => clients[0]!));
  expect([wayNow('eu-us').state, wayNow('us-eu').state, wayNow('eu-us').connections]).toEqual(['cut', 'cut', 0]);
  shores.ocean.obey({ do: 'heal' });
  await established('us');
});

it('a way that is cut loses the requests of one side and the answers of the other, and tells nobody', async () => {
  shores = await openShores(0);
  const [fromEu, fromUs] = [await established('eu'), await established('us')];
  shores.ocean.obey({ do: 'cut', way: 'eu-us' });
  fromEu.say('2');
  fromUs.say('3');
  // A request from us still arrives and takes effect. Only its answer dies.
  await vi.waitFor(() => expect(shores.heard('eu')).toBe('13'));
  await shores.beside('us');
  expect(shores.heard('us')).toBe('1');
  expect([fromEu.answers(), fromUs.answers(), fromEu.ended(), fromUs.ended()]).toEqual(['1', '1', '', '']);
});

it('the heal resets a connection that lost bytes, since its stream has a hole, and leaves the others', async () => {
  shores = await openShores(0);
  const [torn, idle] = [await established('eu'), await established('eu')];
  shores.ocean.obey({ do: 'cut', way: 'eu-us' });
  torn.say('2');
  const late = await shores.dial('eu');
  late.say('5');
  await shores.beside('us');
  await vi.waitFor(() => expect(wayNow('eu-us').connections).toBe(3));
  shores.ocean.obey({ do: 'heal' });
  await ended(torn);
  await ended(late);
  expect([torn.ended(), late.ended()]).toEqual(['ECONNRESET', 'ECONNRESET']);
  idle.say('4');
  await answered(idle, '14');
  expect(shores.heard('us')).not.toMatch(/2|5/);
});

it('a way that is held keeps its bytes and its new connections, and delivers all of them after the heal', async () => {
  shores = await openShores(0);
  const [fromEu, fromUs] = [await established('eu'), await established('us')];
  shores.ocean.obey({ do: 'hold', way: 'us-eu' });
  fromUs.say('2');
  fromEu.say('3');
  const late = await shores.dial('us');
  late.say('4');
  // The request from eu arrives. Its answer waits.
  await vi.waitFor(() => expect(shores.heard('us')).toBe('13'));
  await shores.beside('eu');
  expect([shores.heard('eu'), fromUs.answers(), fromEu.answers()]).toEqual(['1', '1', '1']);
  shores.ocean.obey({ do: 'heal' });
  await answered(fromUs, '12');
  await answered(fromEu, '13');
  await answered(late, '4');
});

it('a side that may not dial loses the connections that it dialled, and keeps those of the other side', async () => {
  shores = await openShores(0);
  const [fromEu, fromUs] = [await established('eu'), await established('us')];
  shores.ocean.obey({ do: 'refuse-dials', way: 'eu-us' });
  await ended(fromEu);
  const refused = await shores.dial('eu').catch(() => undefined);
  if (refused !== undefined) await ended(refused);
  fromUs.say('2');
  await answered(fromUs, '12');
  expect([wayNow('eu-us').dials, wayNow('us-eu').dials]).toEqual(['refused', 'open']);
  shores.ocean.obey({ do: 'heal' });
  await established('eu');
});

it('an end crosses like bytes: what was sent before it arrives, also past a receiver that reads slowly', async () => {
  shores = await openShores(20);
  const client = await shores.dial('eu');
  // Several times of what may be under way at once.
  const much = 'x'.repeat(12 * 1024 * 1024);
  client.socket.end(much);
  await vi.waitFor(() => expect(client.answers()).toHaveLength(much.length), { timeout: 20_000 });
  await ended(client);
  expect(wayNow('eu-us').bytes).toBe(much.length);
  await vi.waitFor(() => expect(wayNow('eu-us').connections).toBe(0));
});

it('a server that is away resets its caller', async () => {
  shores = await openShores(0);
  shores.leave('us');
  const client = await shores.dial('eu');
  await ended(client);
  expect(client.ended()).toBe('ECONNRESET');
  await vi.waitFor(() => expect(wayNow('eu-us').connections).toBe(0));
});
