/** Preloaded into one worker of the benchmark: it puts stubs in the place of the modules that make spans. Only a stub sees the real module. */
import { registerHooks } from 'node:module';

const stubs = new Map(
  [
    ['/libs/platform/dist/trace.js', './platform.stub.ts'],
    ['/libs/event-log/dist/event-log.traces.js', './event-log.stub.ts'],
  ].map(([real, stub]) => [real!, new URL(stub!, import.meta.url).href]),
);

registerHooks({
  resolve(specifier, context, next) {
    const found = next(specifier, context);
    const [, stub] = [...stubs].find(([real]) => found.url.endsWith(real)) ?? [];
    return stub === undefined || context.parentURL === stub ? found : { ...found, url: stub, format: 'module-typescript' };
  },
});
