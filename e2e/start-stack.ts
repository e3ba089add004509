import { startStack } from '@cloakroom/infra';
import { dataDir, portBase, variant, waitUntilReady } from './stack.ts';

/** Starts the system the way `npm start` does, once for all tests; the returned function ends it. */
export default async function start(): Promise<() => Promise<void>> {
  const stack = await startStack({ ...variant, base: portBase, dataDir, fresh: true });
  await waitUntilReady();
  return () => stack.stop();
}
