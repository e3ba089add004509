/**
 * THE ANTI-PATTERN, to measure a floor: preloaded into one gateway of this lab, it puts a stub in the place of the module that identifies the caller.
 * No service that ships can load it, and no setting of the shop brings it in.
 */
import { registerHooks } from 'node:module';

const real = '/apps/gateway/dist/identity/identify-caller.js';
const stub = new URL('./identity-out.stub.ts', import.meta.url).href;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return !found.url.endsWith(real) || context.parentURL === stub ? found : { ...found, url: stub, format: 'module-typescript' };
  },
});
process.stderr.write('THIS GATEWAY LETS EVERYBODY IN ON PURPOSE: a lab took identity out of it\n');
