import { expect, it, vi } from 'vitest';
import type { ProcessSpec } from '../stack/stack.ts';
import type { Supervised } from '../supervisor/supervised.ts';
import type { Supervisor } from '../supervisor/supervisor.ts';
import { Standbys } from './standbys.ts';
import { doorOf } from './workspace.ts';

const cart = { name: 'cart', run: { kind: 'app', app: { app: 'cart' } } } as ProcessSpec;

/** One process that is made of apps/cart and this library. */
function standbysOver(library: string) {
  const supervised = {
    spec: cart,
    prepareSuccessor: vi.fn<Supervised['prepareSuccessor']>(() => Promise.resolve()),
    dropSuccessor: vi.fn<() => void>(),
  };
  const supervisor = { spec: { processes: [cart] }, find: () => supervised as unknown as Supervised } as unknown as Supervisor;
  const standbys = new Standbys(supervisor, new Map([['apps/cart', [library]]]));
  return { standbys, ...supervised };
}

it.each([
  { standby: 'has loaded nothing that changed', fate: 'kept', replaced: [cart], changed: ['apps/cart'] },
  { standby: 'has loaded a folder that changed', fate: 'dropped', replaced: [cart], changed: ['apps/cart', 'libs/mesh'] },
  { standby: 'waits for a process that is not replaced', fate: 'dropped', replaced: [], changed: [] },
])('a standby that $standby is $fate', async ({ fate, replaced, changed }) => {
  const { standbys, prepareSuccessor, dropSuccessor } = standbysOver('libs/mesh');
  standbys.prepare('apps/cart');
  expect(prepareSuccessor).toHaveBeenCalledExactlyOnceWith([doorOf('libs/mesh')]);
  await standbys.keepOnly(replaced, new Set(changed));
  expect(dropSuccessor).toHaveBeenCalledTimes(fate === 'dropped' ? 1 : 0);
});

it('a package.json that cannot be read costs the standby, and the watch goes on', async () => {
  const { standbys, prepareSuccessor } = standbysOver('libs/half-written');
  standbys.prepare('apps/cart');
  await standbys.keepOnly([cart], new Set(['apps/cart']));
  expect(prepareSuccessor).not.toHaveBeenCalled();
});
