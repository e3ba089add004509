/** Preloaded into one worker of the benchmark: it loads the platform with its telemetry hooks replaced by telemetry.stub.ts. */
import { registerHooks } from 'node:module';

const stub = new URL('./telemetry.stub.ts', import.meta.url).href;
const replaced = /\/libs\/(?:platform\/dist\/telemetry|event-log\/dist\/event-log\.traces)\.js$/;

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    return replaced.test(found.url) ? { ...found, url: stub, format: 'module-typescript' } : found;
  },
});
