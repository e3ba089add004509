/** Plain reads against a connection that the test answers for: each doubt, and what is certain. The same faults on a real Redis: *.int.test.ts. */
import type { Command, Redis } from 'ioredis';
import { expect, it, vi } from 'vitest';
import { hashNamed, hour, t0, userSession } from './session-store.samples.ts';
import { Reads } from './session.reads.ts';
import { pack } from './session.redis.record.ts';
import type { Servers } from './session.servers.ts';
import type { SessionRecord } from './session.store.ts';

const session: SessionRecord = { ...userSession('a'), epoch: 5 };
const index = (epoch = 5, hash = session.hash): string => `1\n${epoch}\n${session.handle}\n${hash}`;
const mine = 'a'.repeat(16);
const info = (name = mine, role = 'master'): string => `# Replication\r\nrole:${role}\r\nmaster_replid:${name.repeat(3).slice(0, 40)}\r\n`;
const reply = (message: string): Error => Object.assign(new Error(message), { name: 'ReplyError' });

function open({ trusted = mine } = {}) {
  const sent: Command[] = [];
  const write = vi.fn<(packet: string) => void>();
  const connection = {
    sendCommand: (command: Command, into: { write(data: unknown): void }) => {
      sent.push(command);
      into.write(`${command.name} `);
    },
    stream: { write },
  } as unknown as Redis;
  const servers = { told: trusted, trusted: () => servers.told };
  const reads = new Reads(connection, servers as unknown as Servers);
  reads.remember(session);
  const look = (of = session, nowMs = t0) => reads.look(of, nowMs);
  /** Waits until the turn's packet is out, then answers its commands in order. */
  const answer = async (...answers: unknown[]): Promise<void> => {
    await vi.waitFor(() => expect(sent).toHaveLength(answers.length));
    for (const [at, command] of sent.splice(0).entries()) {
      if (answers[at] instanceof Error) command.reject(answers[at]);
      else command.resolve(answers[at]);
    }
  };
  const ask = async (values: unknown, told: unknown = info(), nowMs = t0): Promise<unknown> => {
    const asked = look(session, nowMs);
    // It may reject before anybody awaits it.
    asked.catch(() => undefined);
    await answer(values, told);
    return asked;
  };
  return { reads, look, answer, ask, sent, write, servers };
}

it('finds a session that is listed, not buried and within its limits, by one write to the socket', async () => {
  const { ask, write } = open();
  expect(await ask([pack(session), null, null, index()])).toEqual(session);
  expect(write.mock.calls).toEqual([['mget info ']]);
});
it.each<[string, unknown[], number?]>([
  ['its token is buried', [pack(session), '1', null, index()]],
  ['its handle is buried', [pack(session), null, '1', index()]],
  ['its epoch was raised above it', [pack(session), null, null, index(6)]],
  ['its person lists another token', [pack(session), null, null, index(5, hashNamed('other'))]],
  ['its person lists nothing', [pack(session), null, null, '1\n5']],
  ['its idle limit has passed, by the clock of the process', [pack(session), null, null, index()], session.idleExpiresAtMs],
])('knows without a script that a session is over when %s', async (_why, values, nowMs = t0) => {
  expect(await open().ask(values, info(), nowMs)).toBeUndefined();
});
it.each<[string, unknown, unknown?]>([
  ['there is no record: absent, or of the hash layout', [null, null, null, index()]],
  ['there is no index: lost, or of the hash layout', [pack(session), null, null, null]],
  ['the record is damaged', [pack(session).slice(0, 40), null, null, index()]],
  ['the record is of a newer build', [`2${pack(session).slice(1)}`, null, null, index()]],
  ['the index is damaged', [pack(session), null, null, 'x']],
  ['the index is of a newer build', [pack(session), null, null, `2${index().slice(1)}`]],
  ['the record is of another token', [pack({ ...session, hash: hashNamed('b') }), null, null, index()]],
  ['the record names another handle than was asked for', [pack({ ...session, handle: 'b' }), null, null, index()]],
  ['the record names another subject than was asked for', [pack({ ...session, subject: 'u_b' }), null, null, index()]],
  ['the answers are shifted', info(), [pack(session), null, null, index()]],
  ['the slot is moving', reply('TRYAGAIN Multiple keys request during rehashing of slot')],
  ['the slot has moved', reply('MOVED 1 127.0.0.1:1')],
  ['the server may not tell its name', [pack(session), null, null, index()], reply('NOPERM')],
  ['another server answered', [pack(session), null, null, index()], info('b'.repeat(16))],
  ['the server is a replica', [pack(session), null, null, index()], info(mine, 'slave')],
  ['the server tells no name', [pack(session), null, null, index()], '# Replication\r\nrole:master\r\n'],
])('leaves it to the script when %s', async (_why, values, told = info()) => {
  expect(await open().ask(values, told)).toBe('doubt');
});
it('asks nothing of a session that it never met', async () => {
  const { look, sent } = open();
  expect(await look({ ...session, hash: hashNamed('b') })).toBe('doubt');
  expect(sent).toEqual([]);
});
it('believes no server that was told everything only while the answer was on its way', async () => {
  const { look, answer, servers } = open({ trusted: '' });
  const asked = look();
  await vi.waitFor(() => expect(servers.told).toBe(''));
  await new Promise(setImmediate);
  servers.told = mine;
  await answer([pack(session), null, null, index()], info());
  expect(await asked).toBe('doubt');
});
it('tells each of a turn its own answer, and asks for the server once', async () => {
  const { reads, look, answer } = open();
  const other = { ...session, ...userSession('b', { subject: 'u_b' }) };
  reads.remember(other);
  const asked = [look(), look(other), look(session, t0 + hour)];
  const values = [pack(session), null, null, index()];
  await answer(values, [pack(other), null, null, `1\n5\n${other.handle}\n${other.hash}`], values, info());
  expect(await Promise.all(asked)).toEqual([session, other, session]);
});
it('sends a flood of one turn in packets of bounded size, each with its own question for the server, and tells each its own answer', async () => {
  const { reads, look, answer, write } = open();
  const crowd = Array.from({ length: 500 }, (_, i): SessionRecord => ({ ...session, ...userSession(`${i}`, { subject: `u_${i}` }) }));
  for (const one of crowd) reads.remember(one);
  const asked = crowd.map((one) => look(one));
  const answers = crowd.map((one) => [pack(one), null, null, `1\n5\n${one.handle}\n${one.hash}`]);
  // The third packet is answered by another server, so its reads prove nothing. The others have nothing to do with it.
  const packets = [0, 128, 256, 384].map((from) => answers.slice(from, from + 128));
  await answer(...packets.flatMap((values, at) => [...values, info(at === 2 ? 'b'.repeat(16) : mine)]));
  expect(await Promise.all(asked)).toEqual(crowd.map((one, i) => (i >= 256 && i < 384 ? 'doubt' : one)));
  expect(write.mock.calls.map(([packet]) => packet)).toEqual(
    [...Array(3).fill(128), 116].map((count: number) => `${'mget '.repeat(count)}info `),
  );
});
it('keeps the names of a bounded number of tokens: whoever acted longest ago is read by the script', async () => {
  const { reads, look, sent } = open();
  for (let n = 0; n < 119_999; n += 1) reads.remember({ ...session, hash: `other ${n}` });
  reads.remember(session);
  reads.remember({ ...session, hash: 'one more' });
  expect(await look({ ...session, hash: 'other 0' })).toBe('doubt');
  expect(sent).toEqual([]);
  void look();
  await vi.waitFor(() => expect(sent.map(({ name }) => name)).toEqual(['mget', 'info']));
});
it.each<[string, unknown, unknown]>([
  ['the connection breaks before the record', new Error('Connection is closed.'), new Error('Connection is closed.')],
  ['it breaks between the record and the name of its server', [pack(session), null, null, index()], new Error('Connection is closed.')],
  ['the answer is too late', new Error('Command timed out'), new Error('Command timed out')],
  ['the name is too late', [pack(session), null, null, index()], new Error('Command timed out')],
])('says that the store is away when %s', async (_why, values, told) => {
  await expect(open().ask(values, told)).rejects.toMatchObject({ name: 'StoreUnavailable' });
});
