/** The amounts that `npm run bench -- cart` measures: those of published runs, and the smallest that show that it works. */
export interface CartRequest {
  readonly base: number;
  readonly pairs: number;
  /** The length of one block. */
  readonly seconds: number;
  readonly warmUpSeconds: number;
  /** Commands a second at which visibility is measured. */
  readonly rates: readonly number[];
  /** Carts whose additions take turns. */
  readonly cartCount: number;
  readonly replay: { readonly events: number; readonly carts: number };
  readonly lineCounts: readonly number[];
  readonly historyLengths: readonly number[];
  /** Repetitions of an event, a read and a command, at each size and history. */
  readonly repeats: number;
  /** Lost updates: commands of one trial, and how many clients send them at once. */
  readonly lost: { readonly commands: number; readonly clients: readonly number[]; readonly trials: number };
  /** Writes processor profiles of the gateway and of cart at saturation instead of measuring. */
  readonly profile: boolean;
}

type Sizes = Omit<CartRequest, 'base' | 'profile'>;

export const cartSizes: Readonly<Record<'whole' | 'quick', Sizes>> = {
  whole: {
    pairs: 5,
    seconds: 3,
    warmUpSeconds: 0.5,
    rates: [50, 100, 200, 300],
    cartCount: 1_000,
    replay: { events: 100_000, carts: 2_000 },
    lineCounts: [1, 10, 100, 1_000],
    historyLengths: [1, 100, 10_000, 100_000],
    repeats: 200,
    lost: { commands: 400, clients: [1, 2, 8, 32], trials: 3 },
  },
  quick: {
    pairs: 1,
    seconds: 0.5,
    warmUpSeconds: 0,
    rates: [20, 50],
    cartCount: 20,
    replay: { events: 2_000, carts: 100 },
    lineCounts: [1, 100],
    historyLengths: [1, 200],
    repeats: 10,
    lost: { commands: 50, clients: [1, 8], trials: 1 },
  },
};
