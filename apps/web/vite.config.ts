import react from '@vitejs/plugin-react';
import { defineConfig } from 'vite';

/** The gateway serves what this builds, under `default-src 'self'`: nothing inline, no data: addresses, no other origin. */
export default defineConfig({
  plugins: [react()],
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, sourcemap: false },
  // `vite` alone serves the pages against a stack that runs.
  server: { port: 5173, strictPort: true, proxy: { '/api': { target: 'http://localhost:4000', changeOrigin: false } } },
});
