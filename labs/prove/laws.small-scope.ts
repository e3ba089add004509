/**
 * The whole of a small scope. Most faults of a replicated structure show in a history of five events, if the check covers every such history. Chance
 * plays no part here, so there is no seed.
 */
import { emptyCart, evolve, linesOf, type CartEvent, type CartState } from '../../apps/cart/src/model/cart.ts';
import { spell } from '../../apps/cart/src/model/spell-cart.harness.ts';
import { historyOf, tellAct, userCart, type Act, type History } from './prove.history.ts';
import type { Law, Outcome } from './law.ts';
import { tell, type Step } from './prove.steps.ts';
import { Telling } from './prove.story.ts';

/** Choices for the replicas' law. A command comes from device 1, which has heard nothing, or from device 2, which has heard all. A guest may join. */
const choices: readonly (readonly Act[])[] = [
  [{ do: 'add', device: 0, line: 0, quantity: 1 }],
  [{ do: 'set', device: 0, line: 0, quantity: 3 }],
  [
    { do: 'hear', device: 1, count: 9 },
    { do: 'set', device: 1, line: 0, quantity: 2 },
  ],
  [
    { do: 'hear', device: 1, count: 9 },
    { do: 'remove', device: 1, line: 0 },
  ],
  // One event behind: the device has not seen the last event.
  [
    { do: 'hear', device: 2, count: 1 },
    { do: 'clear', device: 2 },
  ],
  [
    { do: 'hear', device: 1, count: 9 },
    { do: 'order', device: 1 },
  ],
  [{ do: 'add', device: 3, line: 0, quantity: 5 }, { do: 'join' }],
  [{ do: 'remove', device: 3, line: 0 }, { do: 'coupon', device: 3, code: 0 }, { do: 'join' }],
  // The user sends a command of its guest again. Or a late request of the guest repeats a command of the user.
  [{ do: 'again', nth: 0 }],
];
/** Histories between two reports of progress. */
const progressEvery = 500;

function replicas(eventsMax: number): Law {
  return {
    name: 'every order of few events',
    says: `two replicas that get the same ${eventsMax} events or fewer, each in any order and any of them twice, hold the same cart, and each command once`,
    share: 0,
    check({ onProgress }) {
      let histories = 0;
      const visit = (steps: readonly Act[], left: number, parent?: History): Outcome | undefined => {
        const history = historyOf(steps);
        // The last choice did nothing, so another branch covers this history without it.
        if (parent !== undefined && sizeOf(history) === sizeOf(parent)) return undefined;
        const orders = everyOrder(history.events, history.due);
        if (typeof orders === 'string')
          return { histories, counterExample: { story: steps.map(tellAct), fault: orders, replay: 'no seed: it is always found' } };
        const before = histories;
        histories += orders;
        if (Math.floor(before / 50_000) !== Math.floor(histories / 50_000)) onProgress?.(histories);
        for (const choice of left === 0 ? [] : choices) {
          const found = visit([...steps, ...choice], left - 1, history);
          if (found !== undefined) return found;
        }
        return undefined;
      };
      return Promise.resolve(visit([], eventsMax) ?? { histories });
    },
  };
}

const sizeOf = ({ events, guestEvents }: History): number => events.length + guestEvents.length;

/**
 * Goes by subsets: if every way to a set of events ends in one cart, then every order of all of them does too. So 80 steps check 120 orders.
 * @param due the quantity that each line must show in the end
 * @returns the number of orders, or the fault of one
 */
function everyOrder(events: readonly CartEvent[], due: ReadonlyMap<string, number>): number | string {
  const carts: (CartState | undefined)[] = [emptyCart(userCart)];
  const spelt: string[] = [];
  const all = 2 ** events.length - 1;
  for (let done = 0; done <= all; done++) {
    for (const [index, event] of events.entries()) {
      const cart = carts[done]!;
      const now = done | (1 << index);
      const after = evolve(cart, event);
      if (now === done) {
        if (after !== cart) return `${event.type} again changes the cart`;
        continue;
      }
      if (carts[now] === undefined) {
        carts[now] = after;
        spelt[now] = spell(after);
      } else if (spell(after) !== spelt[now]) return `one order gives ${spelt[now]}, another ${spell(after)}`;
    }
  }
  const shown = new Map(linesOf(carts[all]!).map(({ lineId, quantity }) => [lineId, quantity]));
  const wrong = [...new Set([...shown.keys(), ...due.keys()])].find((line) => shown.get(line) !== due.get(line));
  if (wrong !== undefined) return `${shown.get(wrong) ?? 0} of ${wrong} are shown, and each command once makes ${due.get(wrong) ?? 0}`;
  return events.reduce((orders, _event, index) => orders * (index + 1), 1);
}

/** Steps for the service's law: the actions of people, and the fates of the two projectors of a guest's and a user's partition. */
const happenings: readonly Step[] = [
  { do: 'send', device: 0, command: { kind: 'add', line: 'mug', quantity: 1 }, fresh: false },
  { do: 'send', device: 0, command: { kind: 'remove', line: 'mug' }, fresh: true },
  { do: 'sign-in', device: 0 },
  { do: 'late', device: 0, command: { kind: 'add', line: 'mug', quantity: 2 } },
  { do: 'send', device: 2, command: { kind: 'set', line: 'mug', quantity: 3 }, fresh: true },
  { do: 'send', device: 2, command: { kind: 'remove', line: 'mug' }, fresh: true },
  { do: 'order', device: 2, fresh: true },
  { do: 'project', cart: 'phone', count: 9, fate: 'well' },
  { do: 'project', cart: 'laptop', count: 9, fate: 'well' },
  { do: 'project', cart: 'phone', count: 1, fate: 'killed-after-forward' },
  { do: 'project', cart: 'laptop', count: 1, fate: 'killed-after-write' },
  { do: 'misdeliver', cart: 'phone', by: 1 },
];

/** Steps for the law of repetitions: the fate of one command whose answer was lost, and other events of its cart meanwhile. */
const repetitions: readonly Step[] = [
  { do: 'lose', device: 0, command: { kind: 'add', line: 'mug', quantity: 1 }, held: false },
  { do: 'lose', device: 0, command: { kind: 'add', line: 'mug', quantity: 1 }, held: true },
  { do: 'arrive', device: 0 },
  { do: 'sign-in', device: 0 },
  { do: 'again', device: 0 },
  { do: 'repeat', nth: 0, as: 'stranger' },
  { do: 'send', device: 2, command: { kind: 'remove', line: 'mug' }, fresh: true },
  { do: 'order', device: 2, fresh: true },
  { do: 'catch-up' },
];

interface Scope {
  readonly name: string;
  readonly says: string;
  readonly happenings: readonly Step[];
  readonly stepsMax: number;
}

function service({ name, says, happenings, stepsMax }: Scope): Law {
  return {
    name,
    says,
    share: 0,
    async check({ onProgress }) {
      let histories = 0;
      const visit = async (steps: readonly Step[]): Promise<Outcome | undefined> => {
        const fault = await faultOf(steps);
        if (fault === 'idle') return undefined;
        histories += 1;
        if (histories % progressEvery === 0) onProgress?.(histories);
        if (fault !== undefined)
          return { histories, counterExample: { story: steps.map(tell), fault, replay: 'no seed: it is always found' } };
        if (steps.length === stepsMax) return undefined;
        for (const step of happenings) {
          const found = await visit([...steps, step]);
          if (found !== undefined) return found;
        }
        return undefined;
      };
      return (await visit([])) ?? { histories };
    },
  };
}

/** @returns idle when the last step did nothing: then another branch covers the history without it */
async function faultOf(steps: readonly Step[]): Promise<string | undefined> {
  const telling = await Telling.open();
  try {
    let acted = true;
    for (const step of steps) acted = await telling.run(step);
    if (!acted) return 'idle';
    await telling.end();
    return undefined;
  } catch (error) {
    return (error as Error).message;
  } finally {
    await telling.world.close();
  }
}

const interleavings = (stepsMax: number): Law =>
  service({
    name: 'every interleaving of few steps',
    says: `${stepsMax} steps or fewer of a guest, a user and both projectors, in any order, with crashes between forward and write: all arrives, once`,
    happenings,
    stepsMax,
  });

const repeated = (stepsMax: number): Law =>
  service({
    name: 'every way to repeat a command',
    says: `${stepsMax} steps or fewer around a guest's command whose answer was lost: sent again after the sign-in, late, removed, ordered, or as another person's, it counts once for each person`,
    happenings: repetitions,
    stepsMax,
  });

/** @param depth long: as `npm run prove`; short: as the unit tests */
export const smallScopeLaws = (depth: 'long' | 'short'): readonly Law[] =>
  depth === 'long' ? [replicas(5), interleavings(5), repeated(6)] : [replicas(4), interleavings(4), repeated(5)];
