/**
 * Five wrong carts. These are ANTI-PATTERNS to look at: they run only on request (npm run lab -- wrong-carts). Each model gets a separate shop, in
 * which people play scenes. The checker that judges the real shop reports what it saw.
 */
import { join } from 'node:path';
import { checkHistory, explain, httpTransport, register, type Anomaly, type History, type ShopPerson } from '@cloakroom/testing';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack, type Reshape, type RunningStack } from '../../infra/launch/harness.ts';
import { wrongModels, type WrongModel } from './model.ts';
import { openScene, scenes, settle, type SceneName } from './scenes.ts';

/** The right one comes first. */
export const cartModels = ['dots', ...wrongModels] as const;
export type CartModelName = (typeof cartModels)[number];

/** The scene that breaks each wrong model. */
export const sceneOf: Record<WrongModel, SceneName> = {
  lww: 'same-product',
  union: 'stale-page',
  'sum-merge': 'crash',
  'overwrite-merge': 'sign-in',
  'read-modify-write': 'two-products',
};

export interface Caught {
  readonly scene: SceneName;
  readonly anomaly: Anomaly;
  readonly history: History;
}

/** A start takes 3 s. Where the tests of a whole repository run beside it, the lab waits and does not fail. */
const readyTimeoutMs = 120_000;
/** A crash reveals a wrong merge only if it comes before the note that the merge is done. The note is written once a second. */
const triesMax = 3;

/** A separate shop with this cart in it. */
export function openShop(model: CartModelName, base: number, logLevel: string): Promise<RunningStack> {
  return startStack({
    provider: 'embedded',
    base,
    dataDir: join(dataRoot, 'lab-wrong-carts'),
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
const wrongProgram = join(import.meta.dirname, 'embedded.main.ts');

/** @returns the findings of the checker, the easiest to read first; none where the cart is right */
export async function playScenes(model: CartModelName, played: readonly SceneName[], base: number): Promise<Caught[]> {
  const stack = await openShop(model, base, 'error');
  const transport = httpTransport();
  const caught: Caught[] = [];
  try {
    const products = await productsOf(stack.gateways[0]!);
    for (const scene of played) {
      for (let take = 1; take <= (model === 'dots' || scene !== sceneOf[model] ? 1 : triesMax); take++) {
        const stage = openScene(stack, personOf(scene, take, products), transport);
        if (!(await register(stage.laptop))) throw new Error('the lab could not open an account');
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

/** The smallest history in which something went wrong, as text; undefined where nothing did. */
export function describeCaught(caught: readonly Caught[]): string | undefined {
  const first = caught.find(({ anomaly }) => anomaly.kind !== 'not-converged') ?? caught[0];
  return first === undefined ? undefined : explain(besides(first), first.history);
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
