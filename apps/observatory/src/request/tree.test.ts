import { describe, expect, it } from 'vitest';
import { criticalPath, unattributedPart } from './critical-path.ts';
import { originMs, span } from './program.fixture.ts';
import { treeOf } from './tree.ts';

const rpc = { 'rpc.method': 'cloakroom.auth.v1.AuthService/Login' };
const client = (startMs: number, endMs: number) =>
  span({ spanId: 'c', name: 'Login', kind: 'client', attributes: rpc, startMs: originMs + startMs, endMs: originMs + endMs });
const server = (startMs: number, endMs: number) =>
  span({
    spanId: 's',
    parentId: 'c',
    name: 'Login',
    kind: 'server',
    attributes: rpc,
    startMs: originMs + startMs,
    endMs: originMs + endMs,
  });
const pathOf = (...spans: readonly ReturnType<typeof span>[]) => {
  const root = treeOf(spans[0]!, spans);
  const steps = criticalPath(root);
  return {
    steps: steps.map(({ node, kind, startMs, endMs }) => [node.span.spanId, kind, startMs, endMs]),
    unattributed: unattributedPart(root, steps),
  };
};

describe('the two sides of a call', () => {
  it('leave the time between them to the way there and back', () => {
    expect(pathOf(client(0, 10), server(2, 7)).steps).toEqual([
      ['c', 'way there', 0, 2],
      ['s', 'work', 2, 7],
      ['c', 'way back', 7, 10],
    ]);
  });

  it.each([
    ['too early', -30, [0, 5]],
    ['too late', 30, [5, 10]],
    ['a little late', 6, [5, 10]],
  ])('are put right where the server’s clock goes %s, and the difference is told as unexplained', (_how, startMs, [from, until]) => {
    const { steps, unattributed } = pathOf(client(0, 10), server(startMs, startMs + 5));
    expect(steps.find(([id]) => id === 's')).toEqual(['s', 'work', from, until]);
    expect(unattributed).toBeGreaterThan(0);
  });

  it('move together with what follows the server', () => {
    const child = span({ spanId: 'd', parentId: 's', name: 'argon2 verify', startMs: originMs + 101, endMs: originMs + 104 });
    const { steps } = pathOf(client(0, 10), server(100, 105), child);
    expect(steps.map(([id, kind]) => [id, kind])).toEqual([
      ['c', 'way there'],
      ['s', 'own'],
      ['d', 'work'],
      ['s', 'own'],
    ]);
  });

  it('fill the call where the server says to have taken longer than it', () => {
    expect(pathOf(client(0, 10), server(-5, 25)).steps).toEqual([['s', 'work', 0, 10]]);
  });

  it('say of a call whose server told nothing that nobody explains it', () => {
    expect(pathOf(client(0, 10))).toEqual({ steps: [['c', 'untold', 0, 10]], unattributed: 1 });
  });
});

describe('work that a span causes', () => {
  const root = span({ spanId: 'r', name: 'transaction', startMs: originMs, endMs: originMs + 10 });
  const below = (more: Partial<ReturnType<typeof span>>, startMs: number, endMs: number) =>
    span({ spanId: 'x', parentId: 'r', name: 'work', startMs: originMs + startMs, endMs: originMs + endMs, ...more });

  it.each([
    ['an outbox row', { name: 'outbox order.events' }],
    ['a record that another process handles', { kind: 'consumer', name: 'process cart.events' }],
    ['a live event', { kind: 'producer', name: 'live event cart' }],
  ] as const)('is not waited for where it is %s, even if it ends before the answer', (_what, more) => {
    expect(pathOf(root, below(more, 2, 5)).steps).toEqual([['r', 'work', 0, 10]]);
  });

  it('is not waited for where it goes on after the answer, or begins then', () => {
    expect(pathOf(root, below({}, 5, 15)).steps).toEqual([['r', 'work', 0, 10]]);
    expect(pathOf(root, below({}, 12, 15)).steps).toEqual([['r', 'work', 0, 10]]);
  });

  it('counts as before its successor where a clock of whole milliseconds says that it ended just after', () => {
    const first = below({ spanId: 'a' }, 1, 5.4);
    const second = { ...below({ spanId: 'b' }, 5.25, 9), startMs: Math.floor(originMs + 5) };
    expect(pathOf(root, first, second).steps.map(([id]) => id)).toEqual(['r', 'a', 'b', 'r']);
    const precise = below({ spanId: 'b' }, 5.25, 9);
    expect(pathOf(root, first, precise).steps.map(([id]) => id)).toEqual(['r', 'b', 'r']);
  });
});

it('a trace whose spans are each other’s parents, or come twice, still has an end', () => {
  const one = span({ spanId: 'a', parentId: 'b', startMs: originMs, endMs: originMs + 4 });
  const two = span({ spanId: 'b', parentId: 'a', startMs: originMs + 1, endMs: originMs + 3 });
  expect(pathOf(one, two, two, one).steps).toEqual([
    ['a', 'own', 0, 1],
    ['b', 'work', 1, 3],
    ['a', 'own', 3, 4],
  ]);
});
