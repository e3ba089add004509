/** The steps of one history of the world. They can be generated, run (prove.story.ts), and told. */
import fc from 'fast-check';
import { guests, stranger, user, type Command, type Fate } from './prove.world.ts';

export const deviceNames = ['phone', 'tablet', 'laptop', 'kiosk'] as const;
export const cartNames = { phone: guests[0], tablet: guests[1], laptop: user, stranger } as const;
type CartName = keyof typeof cartNames;

export type Step =
  /** Fresh: the device reads its page again first. */
  | { readonly do: 'send'; readonly device: number; readonly command: Command; readonly fresh: boolean }
  | { readonly do: 'order'; readonly device: number; readonly fresh: boolean }
  | { readonly do: 'read'; readonly device: number }
  | { readonly do: 'sign-in' | 'steal'; readonly device: number }
  /** A request of the guest that was under way when it signed in. */
  | { readonly do: 'late'; readonly device: number; readonly command: Command }
  /** A command without an answer. Held: its request is still under way, and may come after what its device does next. */
  | { readonly do: 'lose'; readonly device: number; readonly command: Command; readonly held: boolean }
  | { readonly do: 'arrive'; readonly device: number }
  /** The device sends the command without an answer again, as the person who uses the device by now. */
  | { readonly do: 'again'; readonly device: number }
  /** Signs out. A stranger who signs in there gets none of the pending commands: the page makes sure of it. */
  | { readonly do: 'sign-out'; readonly device: number; readonly next: 'itself' | 'stranger' }
  | { readonly do: 'confirm' | 'catch-up' }
  | { readonly do: 'days'; readonly count: number }
  /** Repeats a command, possibly as a person that never had it: then it is theirs. No page does that. */
  | { readonly do: 'repeat'; readonly nth: number; readonly as: 'itself' | 'user' | 'stranger' }
  | { readonly do: 'project'; readonly cart: CartName; readonly count: number; readonly fate: Fate }
  | { readonly do: 'misdeliver'; readonly cart: CartName; readonly by: number }
  | { readonly do: 'wipe'; readonly cart: CartName };

/** Shorter than the age at which a command is refused, and longer than dead dots are kept. */
const jumps = [3, 46] as const;
const line = fc.constantFrom('hat', 'mug');
const quantity = fc.integer({ min: 1, max: 5 });
const code = fc.constantFrom('WELCOME10', 'WINTER5');
const command: fc.Arbitrary<Command> = fc.oneof(
  { weight: 5, arbitrary: fc.record({ kind: fc.constant('add' as const), line, quantity }) },
  { weight: 2, arbitrary: fc.record({ kind: fc.constant('set' as const), line, quantity }) },
  { weight: 3, arbitrary: fc.record({ kind: fc.constant('remove' as const), line }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constant('clear' as const) }) },
  { weight: 1, arbitrary: fc.record({ kind: fc.constantFrom('coupon' as const, 'uncoupon' as const), code }) },
);
const cart = fc.constantFrom<CartName>('laptop', 'laptop', 'phone', 'tablet', 'stranger');
const fate = fc.constantFrom<Fate>(
  'well',
  'well',
  'killed-before-forward',
  'killed-after-forward',
  'killed-before-write',
  'killed-after-write',
  'raced',
);
const device = fc.nat({ max: deviceNames.length - 1 });
const guestDevice = fc.nat({ max: guests.length - 1 });

const step: fc.Arbitrary<Step> = fc.oneof(
  { weight: 12, arbitrary: fc.record({ do: fc.constant('send' as const), device, command, fresh: fc.boolean() }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('read' as const), device }) },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('catch-up' as const) }) },
  { weight: 10, arbitrary: fc.record({ do: fc.constant('project' as const), cart, count: fc.integer({ min: 1, max: 3 }), fate }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('sign-in' as const), device: guestDevice }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('late' as const), device: guestDevice, command }) },
  { weight: 3, arbitrary: fc.record({ do: fc.constant('order' as const), device: fc.constantFrom(2, 0, 1, 3), fresh: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('confirm' as const) }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('days' as const), count: fc.constantFrom(...jumps) }) },
  {
    weight: 2,
    arbitrary: fc.record({
      do: fc.constant('repeat' as const),
      nth: fc.nat({ max: 9 }),
      as: fc.constantFrom('itself', 'user', 'stranger'),
    }),
  },
  { weight: 4, arbitrary: fc.record({ do: fc.constant('lose' as const), device, command, held: fc.boolean() }) },
  { weight: 2, arbitrary: fc.record({ do: fc.constant('arrive' as const), device }) },
  { weight: 5, arbitrary: fc.record({ do: fc.constant('again' as const), device }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('sign-out' as const), device, next: fc.constantFrom('itself', 'stranger') }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('steal' as const), device: guestDevice }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('misdeliver' as const), cart, by: fc.constantFrom(-2, 1) }) },
  { weight: 1, arbitrary: fc.record({ do: fc.constant('wipe' as const), cart }) },
);
export const story = fc.array(step, { minLength: 1, maxLength: 24, size: 'max' });

/** One line per step, for the reader of a counter-example. */
export function tell(one: Step): string {
  const who = 'device' in one ? deviceNames[one.device]! : '';
  switch (one.do) {
    case 'send':
      return `${who}${one.fresh ? ' reads its cart and' : ''} ${tellCommand(one.command)}`;
    case 'late':
      return `${who}, with a request from before it signed in, ${tellCommand(one.command)}`;
    case 'lose':
      return `${who} ${tellCommand(one.command)}, and no answer comes${one.held ? ': the request is still under way' : ''}`;
    case 'arrive':
      return `the request of ${who} that was under way arrives`;
    case 'again':
      return `${who} sends the command without an answer again`;
    case 'sign-out':
      return `${who} signs out, and ${one.next === 'itself' ? 'in again' : 'somebody else signs in there'}`;
    case 'read':
      return `${who} reads its cart`;
    case 'sign-in':
      return `${who} signs in`;
    case 'steal':
      return `somebody else claims the guest cart of ${who}`;
    case 'order':
      return `${who}${one.fresh ? ' reads its cart and' : ''} orders what it sees`;
    case 'catch-up':
      return 'the projectors catch up';
    case 'confirm':
      return 'the orders are confirmed to the cart';
    case 'days':
      return `${one.count} days pass`;
    case 'repeat':
      return `command ${one.nth + 1} is sent again${one.as === 'itself' ? '' : one.as === 'user' ? ' by the user' : ' by somebody else'}`;
    case 'project':
      return `the projector of ${one.cart}'s cart takes ${one.count}${one.fate === 'well' ? '' : ` and is ${one.fate.replaceAll('-', ' ')}`}`;
    case 'misdeliver':
      return `the projector of ${one.cart}'s cart is handed records ${one.by < 0 ? 'that it has had' : 'with one left out'}`;
    case 'wipe':
      return `the view of ${one.cart}'s cart is lost`;
  }
}

function tellCommand(what: Command): string {
  switch (what.kind) {
    case 'add':
      return `adds ${what.quantity} ${what.line}`;
    case 'set':
      return `sets ${what.line} to ${what.quantity}`;
    case 'remove':
      return `removes ${what.line}`;
    case 'clear':
      return 'empties the cart';
    case 'coupon':
      return `adds the coupon ${what.code}`;
    case 'uncoupon':
      return `removes the coupon ${what.code}`;
  }
}
