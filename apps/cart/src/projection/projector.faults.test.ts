/**
 * The partitions of one turn do nothing to each other. Each has its own write with its own outcome. A partition that fails, hangs or is
 * lost fails alone.
 */
import { afterEach, beforeEach, expect, it, vi } from 'vitest';
import { deadLetterTopic, recordHeaders } from '@cloakroom/contracts';
import { accepted, newUser, openHarness, quantitiesOf, type Harness } from '../cart.harness.ts';
import { partitionOfCart } from '../reads/consistency.ts';
import { MemoryCartView } from './cart.view.memory.ts';
import { ViewUnavailable, type Change } from './cart.view.ts';

/** A view whose writes of carts a test can bend. */
class BentView extends MemoryCartView {
  bend: ((partition: number, write: () => Promise<boolean>) => Promise<boolean>) | undefined;
  readonly written: number[] = [];

  override async apply(partition: number, change: Change): Promise<boolean> {
    const write = () => super.apply(partition, change);
    const done = this.bend === undefined || change.carts.length === 0 ? await write() : await this.bend(partition, write);
    if (done && change.carts.length > 0) this.written.push(partition);
    return done;
  }
}

let cart: Harness;
let view: BentView;
let people: string[];
let bent: number;
beforeEach(async () => {
  view = new BentView();
  cart = await openHarness({ view });
  people = onePersonOfEach(6);
  bent = partitionOf(people[0]!);
});
afterEach(async () => {
  view.bend = undefined;
  vi.restoreAllMocks();
  await cart.stop();
});

const partitionOf = (subject: string): number => partitionOfCart(cart.parts, subject);
/** People whose carts are in as many partitions. */
function onePersonOfEach(count: number): string[] {
  const found = new Map<number, string>();
  while (found.size < count) {
    const subject = newUser();
    found.set(partitionOf(subject), subject);
  }
  return [...found.values()];
}
const addAll = (): Promise<unknown> => Promise.all(people.map(async (subject) => accepted(await cart.add(subject))));
const shows = (subjects: readonly string[], quantity: number): Promise<void> =>
  vi.waitFor(
    async () => {
      for (const subject of subjects) {
        const read = await cart.get(subject);
        expect({ ...quantitiesOf(read), stale: read.stale }).toEqual({ mug: quantity, stale: false });
      }
    },
    { timeout: 8_000 },
  );
const buriedCount = async (): Promise<number> =>
  [...(await cart.eventLog.bounds(deadLetterTopic(cart.topics.events))).values()].reduce((sum, { next }) => sum + Number(next), 0);

it('a partition whose write fails is written again, and the others of its turn are not held up', async () => {
  let failures = 0;
  view.bend = (partition, write) => {
    if (partition !== bent || failures++ > 2) return write();
    return Promise.reject(new ViewUnavailable('away'));
  };
  await addAll();
  await shows(people.slice(1), 1);
  expect(failures).toBeLessThanOrEqual(2);
  await shows(people, 1);
  expect(await buriedCount()).toBe(0);
});

it('a partition that another projector has taken over in the middle is refused alone, and continues where the other left it', async () => {
  await addAll();
  await shows(people, 1);
  let taken = false;
  view.bend = async (partition, write) => {
    if (partition === bent && !taken) {
      taken = true;
      // The new owner has projected the same record, and this member comes too late.
      await write();
    }
    return write();
  };
  await addAll();
  await shows(people, 2);
  expect(taken).toBe(true);
  expect(await buriedCount()).toBe(0);
});

it('a partition whose write hangs holds up no other one, and its own record is neither lost nor doubled', async () => {
  const hangs = Promise.withResolvers<void>();
  view.bend = async (partition, write) => {
    if (partition === bent) await hangs.promise;
    return write();
  };
  await addAll();
  await shows(people.slice(1), 1);
  await addAll();
  await shows(people.slice(1), 2);
  expect(view.written).not.toContain(bent);
  hangs.resolve();
  await shows(people, 2);
});

it('writes that are answered in another order than they were sent keep their own outcome', async () => {
  const waiting: (() => void)[] = [];
  view.bend = async (partition, write) => {
    await new Promise<void>((resolve) => {
      waiting.push(resolve);
      if (waiting.length === people.length) for (const go of waiting.reverse()) go();
    });
    if (partition === bent) throw new ViewUnavailable('away');
    return write();
  };
  await addAll();
  await vi.waitFor(() => expect(view.written).toHaveLength(people.length - 1));
  view.bend = undefined;
  await shows(people, 1);
});

it('a record that cannot be decoded goes to the dead letters alone, and the other partitions of its turn are written once', async () => {
  const poison = { key: people[0]!, value: Buffer.from('not a cart event'), headers: { [recordHeaders.eventVersion]: Buffer.from('1') } };
  await Promise.all([cart.eventLog.publish(cart.topics.events, [poison]), addAll()]);
  await shows(people, 1);
  expect(await buriedCount()).toBe(1);
  const incomplete = await Promise.all(people.map(async (subject) => (await cart.get(subject)).incomplete));
  expect(incomplete).toEqual(people.map((_, n) => n === 0));
});

it('a projector that stops while a write hangs ends once that is answered, and commits nothing that was not written', async () => {
  const hangs = Promise.withResolvers<void>();
  view.bend = async (partition, write) => {
    if (partition !== bent) return write();
    await hangs.promise;
    throw new ViewUnavailable('away');
  };
  await addAll();
  await shows(people.slice(1), 1);
  const stopping = cart.projector().stop();
  hangs.resolve();
  await stopping;
  view.bend = undefined;
  await cart.restartProjector();
  await shows(people, 1);
});
