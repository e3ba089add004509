import react from '@vitejs/plugin-react';
import { defaultClientConditions, defineConfig } from 'vite';

/** The Observatory serves what this builds, under `default-src 'self'`: nothing inline, no data: addresses, no other origin. */
export default defineConfig({
  plugins: [react()],
  // Code that it shares with the gateway comes from the sources, so that the page needs no build before its own.
  resolve: { conditions: ['source', ...defaultClientConditions] },
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false } },
});
