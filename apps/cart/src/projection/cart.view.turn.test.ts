import { expect, it } from 'vitest';
import type { RedisConnection } from '@cloakroom/platform/redis';
import { RedisTurn } from './cart.view.turn.ts';

/** Records what reaches each socket as one write, as corking makes it. */
class FakeNode {
  readonly writes: string[][] = [];
  #corked: string[] | undefined;
  readonly stream = {
    cork: () => (this.#corked = []),
    uncork: () => {
      if (this.#corked!.length > 0) this.writes.push(this.#corked!);
      this.#corked = undefined;
    },
  };
  send(command: string): void {
    if (this.#corked === undefined) this.writes.push([command]);
    else this.#corked.push(command);
  }
}

const valueOf = (key: string): Buffer => Buffer.from(`value of ${key}`);

function oneServer(answer: (keys: string[]) => Promise<(Buffer | null)[]> = (keys) => Promise.resolve(keys.map(valueOf))) {
  const node = new FakeNode();
  const redis = Object.assign(node, {
    mgetBuffer: (keys: string[]) => {
      node.send(`MGET ${keys.join(' ')}`);
      return answer(keys);
    },
  });
  return { node, turn: new RedisTurn(redis as unknown as RedisConnection) };
}

it('puts the reads of one turn into one MGET, and all commands of the turn into one write', async () => {
  const { node, turn } = oneServer();
  const script = (name: string) =>
    turn.write(() => {
      node.send(`EVALSHA ${name}`);
      return Promise.resolve(name);
    });
  const found = await Promise.all([turn.read(['a', 'b']), turn.read(['c']), script('one'), script('two')]);
  expect(found).toEqual([[valueOf('a'), valueOf('b')], [valueOf('c')], 'one', 'two']);
  expect(node.writes).toEqual([['MGET a b c', 'EVALSHA one', 'EVALSHA two']]);
});

it('a script that fails, or cannot be issued, fails alone', async () => {
  const { turn } = oneServer();
  const settled = await Promise.allSettled([
    turn.write(() => Promise.resolve(1)),
    turn.write(() => Promise.reject(new Error('refused'))),
    turn.write(() => {
      throw new Error('not issued');
    }),
    turn.write(() => Promise.resolve(0)),
  ]);
  expect(settled.map((one) => (one.status === 'fulfilled' ? one.value : (one.reason as Error).message))).toEqual([
    1,
    'refused',
    'not issued',
    0,
  ]);
});

it('keeps the keys of a read in one MGET, and bounds what one MGET asks', async () => {
  const { node, turn } = oneServer();
  const keys = (name: string, count: number) => Array.from({ length: count }, (_, n) => `${name}${n}`);
  await Promise.all([turn.read(keys('a', 300)), turn.read(keys('b', 300)), turn.read(keys('c', 200)), turn.read(keys('d', 900))]);
  expect(node.writes).toHaveLength(1);
  expect(node.writes[0]!.map((command) => command.split(' ').length - 1)).toEqual([300, 500, 900]);
});

it('a turn whose MGET fails leaves the next turn alone', async () => {
  let away = true;
  const { turn } = oneServer((keys) => (away ? Promise.reject(new Error('away')) : Promise.resolve(keys.map(valueOf))));
  const settled = await Promise.allSettled([turn.read(['a']), turn.read(['b'])]);
  expect(settled.map(({ status }) => status)).toEqual(['rejected', 'rejected']);
  away = false;
  expect(await turn.read(['a'])).toEqual([valueOf('a')]);
});

it('in a cluster each read has an MGET of its own, because one may name one slot only, and each node gets one write', async () => {
  const nodes = [new FakeNode(), new FakeNode()];
  const cluster = {
    slots: [],
    nodes: () => nodes,
    mgetBuffer: (keys: string[]) => {
      nodes[keys[0] === 'a' ? 0 : 1]!.send(`MGET ${keys.join(' ')}`);
      return Promise.resolve(keys.map(valueOf));
    },
  };
  const turn = new RedisTurn(cluster as unknown as RedisConnection);
  await Promise.all([turn.read(['a']), turn.read(['b']), turn.read(['c'])]);
  expect(nodes.map(({ writes }) => writes)).toEqual([[['MGET a']], [['MGET b', 'MGET c']]]);
});
