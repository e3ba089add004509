import { cartViewContract } from './cart.view.contract.ts';
import { MemoryCartView } from './cart.view.memory.ts';

cartViewContract('memory', () => {
  const view = new MemoryCartView();
  return Promise.resolve({ view, other: view, wipe: () => Promise.resolve(view.wipe()), close: () => view.close() });
});
