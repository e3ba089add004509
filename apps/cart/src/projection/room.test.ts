import { expect, it } from 'vitest';
import { Room } from './room.ts';

const batch = (carts: number, bytes = 0) => ({
  records: Array.from({ length: carts }, (_, n) => ({ key: `cart-${n}`, value: Buffer.alloc(bytes / carts) })) as never,
});
/** Work that ends when the test says so. */
function begin(room: Room, of: ReturnType<typeof batch>) {
  const end = Promise.withResolvers<void>();
  const state = { begun: false, end: end.resolve, fail: end.reject, done: Promise.resolve() };
  state.done = room.within(of, () => {
    state.begun = true;
    return end.promise;
  });
  return state;
}
const turn = () => new Promise((resolve) => setImmediate(resolve));

it('a flood of all partitions is projected a thousand carts at a time, in the order in which they came', async () => {
  const room = new Room();
  const works = Array.from({ length: 24 }, () => begin(room, batch(500)));
  const begun = () => works.map((work) => work.begun).lastIndexOf(true) + 1;
  expect(begun()).toBe(2);
  for (let n = 0; n < works.length; n++) {
    works[n]!.end();
    await works[n]!.done;
    await turn();
    expect(begun()).toBe(Math.min(works.length, n + 3));
  }
});

it('bounds the bytes of what is projected at once', async () => {
  const room = new Room();
  const works = Array.from({ length: 5 }, () => begin(room, batch(1, 1024 * 1024)));
  expect(works.map(({ begun }) => begun)).toEqual([true, true, false, false, false]);
  works[1]!.end();
  await turn();
  expect(works.map(({ begun }) => begun)).toEqual([true, true, true, false, false]);
});

it('a batch that is larger than the room gets it alone, and no later one overtakes it', async () => {
  const room = new Room();
  const [small, large, later] = [begin(room, batch(10)), begin(room, batch(2_000)), begin(room, batch(10))];
  expect([large.begun, later.begun]).toEqual([false, false]);
  small.end();
  await turn();
  expect([large.begun, later.begun]).toEqual([true, false]);
  large.end();
  await turn();
  expect(later.begun).toBe(true);
});

it('work that fails makes room as well', async () => {
  const room = new Room();
  const [one, other] = [begin(room, batch(1_000)), begin(room, batch(1_000))];
  one.fail(new Error('the view is away'));
  await expect(one.done).rejects.toThrow('away');
  await turn();
  expect(other.begun).toBe(true);
});
