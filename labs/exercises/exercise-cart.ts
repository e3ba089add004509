/**
 * Exercise: five wrong carts. ANTI-PATTERNS, for looking at: nothing of this runs unless it is asked for (npm run exercise -- cart). Each wrong model
 * gets a shop of its own, in which people do what that model cannot bear. The checker that judges the real shop says what it saw. The right
 * model plays all scenes. See docs/exercises/cart.md.
 */
import { join } from 'node:path';
import { checkHistory, explain, httpTransport, register, type Anomaly, type History, type ShopPerson } from '@cloakroom/testing';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack, type Reshape, type RunningStack } from '../../infra/launch/harness.ts';
import { wrongModels, type WrongModel } from '../wrong-carts/model.ts';
import { openScene, sceneNames, scenes, settle, type SceneName } from './cart.scenes.ts';

/** The right one first. */
export const cartModels = ['dots', ...wrongModels] as const;
export type CartModelName = (typeof cartModels)[number];

const scenesOf: Record<CartModelName, readonly SceneName[]> = {
  dots: sceneNames,
  lww: ['same-product'],
  union: ['stale-page'],
  'sum-merge': ['crash'],
  'overwrite-merge': ['sign-in'],
  'read-modify-write': ['two-products'],
};

export interface Caught {
  readonly scene: SceneName;
  readonly anomaly: Anomaly;
  readonly history: History;
}

/** A stack of its own, apart from all others of this repository. */
const base = 10_400;
/** It takes 3 s; where the tests of a whole repository run beside it, the exercise waits and does not fail. */
const readyTimeoutMs = 120_000;
/** A crash shows a wrong merge only if it comes before the note that the merge is done, which is written once a second. */
const triesMax = 3;

/** A shop of its own, with this cart in it. */
export function openShop(model: CartModelName, logLevel: string): Promise<RunningStack> {
  return startStack({
    provider: 'embedded',
    base,
    dataDir: join(dataRoot, 'exercise-cart'),
    fresh: true,
    logLevel,
    telemetry: {},
    reshape: {
      spec: (drawn) => ({ ...drawn, processes: drawn.processes.map((one) => ({ ...one, readyTimeoutMs })) }),
      ...(model !== 'dots' && { launch: launchWith(model) }),
    },
  });
}

/** The embedded shop is one process. Its program, the last argument, gives way to the one that opens another door to cart. */
const launchWith =
  (model: WrongModel): NonNullable<Reshape['launch']> =>
  (_process, launch) => ({ ...launch, args: [...launch.args.slice(0, -1), wrongProgram, model] });
const wrongProgram = join(import.meta.dirname, '../wrong-carts/embedded.main.ts');

/** @returns what the checker found, the easiest to read first; nothing where the cart is right */
export async function exerciseCart(model: CartModelName, say: (line: string) => void = () => undefined): Promise<Caught[]> {
  const stack = await openShop(model, 'error');
  const transport = httpTransport();
  const caught: Caught[] = [];
  try {
    const products = await productsOf(stack.gateways[0]!);
    for (const scene of scenesOf[model]) {
      for (let take = 1; take <= (model === 'dots' ? 1 : triesMax); take++) {
        say(`scene "${scene}": ${scenes[scene].says}`);
        const stage = openScene(stack, personOf(scene, take, products), transport);
        if (!(await register(stage.laptop))) throw new Error('the exercise could not open an account');
        await scenes[scene].play(stage);
        const history = await settle(stage);
        const found = checkHistory(history).anomalies.map((anomaly) => ({ scene, anomaly, history }));
        caught.push(...found);
        // That nothing was shown in time is no proof of anything.
        if (found.some(({ anomaly }) => anomaly.kind !== 'not-converged')) break;
      }
    }
  } finally {
    transport.close();
    await stack.stop();
  }
  return caught;
}

/** A person a scene: so none of them meets what another has left. */
const personOf = (scene: SceneName, take: number, products: readonly string[]): ShopPerson => ({
  name: 'anna',
  email: `anna-${scene}-${take}@example.com`,
  password: 'correct horse battery staple',
  products,
});

async function productsOf(gateway: string): Promise<string[]> {
  const { items } = (await (await fetch(`${gateway}/api/products?pageSize=2`)).json()) as { items: { productId: string }[] };
  return items.map(({ productId }) => productId);
}

/** As `npm run exercise -- cart` prints it. */
export function describeCart(model: CartModelName, caught: readonly Caught[]): string {
  const first = caught.find(({ anomaly }) => anomaly.kind !== 'not-converged') ?? caught[0];
  if (first === undefined) return `${model}: the checker finds nothing wrong`;
  const kinds = [...new Set(caught.map(({ anomaly }) => anomaly.kind))].join(', ');
  return `${model}: the checker finds ${kinds}\n\n${explain(besides(first), first.history)}`;
}

/** What another device did at the same moment belongs to the story of what was lost. */
function besides({ anomaly, history }: Caught): Anomaly {
  const lost = history.operations.find(({ id }) => id === anomaly.operations[0])!;
  const overlaps = history.operations.filter(
    ({ kind, client, invokedAtMs, completedAtMs = Number.POSITIVE_INFINITY }) =>
      kind === 'add' &&
      client !== lost.client &&
      invokedAtMs <= (lost.completedAtMs ?? Number.POSITIVE_INFINITY) &&
      completedAtMs >= lost.invokedAtMs,
  );
  return { ...anomaly, operations: [...anomaly.operations, ...overlaps.map(({ id }) => id)] };
}
