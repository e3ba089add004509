/** Imported first into a standby (standby.ts). Node runs the program itself only once this module is through. */
import type { ToStandby } from './standby.ts';

/** Without its launcher it has nothing to wait for. */
const orphaned = (): never => process.exit(0);
process.once('disconnect', orphaned);

await new Promise<void>((begin, fail) => {
  let loaded: Promise<unknown> = Promise.resolve();
  process.on('message', (message: ToStandby) => {
    if ('load' in message) loaded = Promise.all(message.load.map((module) => import(module)));
    else loaded.then(() => begin(), fail);
  });
});
process.removeListener('disconnect', orphaned);
process.removeAllListeners('message');
process.disconnect();
// A program asks by `process.send` whether it has a channel.
delete process.send;
