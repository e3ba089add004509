/**
 * Exercise: five wrong carts. These are ANTI-PATTERNS to look at: they run only on request (npm run exercise -- cart). Each wrong model
 * gets a separate shop, in which people do what breaks that model. The checker that judges the real shop reports what it saw. The right
 * model plays all scenes. See docs/exercises/cart.md.
 */
import { join } from 'node:path';
import { checkHistory, explain, httpTransport, register, type Anomaly, type History, type ShopPerson } from '@cloakroom/testing';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack, type Reshape, type RunningStack } from '../../infra/launch/harness.ts';
import { wrongModels, type WrongModel } from '../wrong-carts/model.ts';
import { openScene, sceneNames, scenes, settle, type SceneName } from './cart.scenes.ts';

/** The right one comes first. */
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

/** Ports apart from all other stacks of this repository. */
const base = 10_400;
/** A start takes 3 s. Where the tests of a whole repository run beside it, the exercise waits and does not fail. */
const readyTimeoutMs = 120_000;
/** A crash reveals a wrong merge only if it comes before the note that the merge is done. The note is written once a second. */
const triesMax = 3;

/** A separate shop with this cart in it. */
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

/** The embedded shop is one process. Its program, the last argument, is replaced by one that starts cart through another door. */
const launchWith =
  (model: WrongModel): NonNullable<Reshape['launch']> =>
  (_process, launch) => ({ ...launch, args: [...launch.args.slice(0, -1), wrongProgram, model] });
const wrongProgram = join(import.meta.dirname, '../wrong-carts/embedded.main.ts');

/** @returns the findings of the checker, the easiest to read first; none where the cart is right */
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
        // A change that did not show in time proves nothing by itself.
        if (found.some(({ anomaly }) => anomaly.kind !== 'not-converged')) break;
      }
    }
  } finally {
    transport.close();
    await stack.stop();
  }
  return caught;
}

/** Each scene has its own person, so that no scene meets what another left behind. */
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

/** The text that `npm run exercise -- cart` prints. */
export function describeCart(model: CartModelName, caught: readonly Caught[]): string {
  const first = caught.find(({ anomaly }) => anomaly.kind !== 'not-converged') ?? caught[0];
  if (first === undefined) return `${model}: the checker finds nothing wrong`;
  const kinds = [...new Set(caught.map(({ anomaly }) => anomaly.kind))].join(', ');
  return `${model}: the checker finds ${kinds}\n\n${explain(besides(first), first.history)}`;
}

/** Actions of another device at the same moment are part of the explanation of a lost command. */
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
