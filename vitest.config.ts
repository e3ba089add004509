import { fileURLToPath } from 'node:url';
import { defineConfig } from 'vitest/config';

/** One configuration for every package: `vitest run --root <package> --config vitest.config.ts`. Workspace imports resolve to sources. */
export default defineConfig({
  resolve: { conditions: ['source', 'module', 'node', 'development|production'] },
  ssr: { resolve: { conditions: ['source', 'module', 'node', 'development|production'], externalConditions: ['source', 'node'] } },
  // Nest injects by emitted types; said here because tests are outside the packages' own tsconfig.
  oxc: { decorator: { legacy: true, emitDecoratorMetadata: true } },
  test: {
    include: ['**/*.test.ts'],
    exclude: ['**/node_modules/**', '**/dist/**', ...(process.env['CLOAKROOM_INTEGRATION'] ? [] : ['**/*.int.test.ts'])],
    // Files of a package share a process and its modules: loading Nest, gRPC and the rest anew for each file was most of the work.
    isolate: false,
    // Guards against hanging, and no promise: a test that holds something to a time says so itself.
    testTimeout: 120_000,
    hookTimeout: 240_000,
    setupFiles: [fileURLToPath(new URL('libs/testing/src/patience.setup.ts', import.meta.url))],
    server: { deps: { inline: [/@cloakroom\//] } },
  },
});
