import react from '@vitejs/plugin-react';
import { defineConfig, type Plugin } from 'vite';

/** The primitives bring their few words in thirty languages; this shop speaks one. */
const oneLanguage: Plugin = {
  name: 'one-language',
  enforce: 'pre',
  load: (id) =>
    /[\\/]react-(aria|stately|aria-components)[\\/].*[\\/](?!en-US)[a-z]{2}-[A-Z]{2}\.m?js$/.test(id) ? 'export default {};' : null,
};

/** The gateway serves what this builds, under `default-src 'self'`: nothing inline, no data: addresses, no other origin. */
export default defineConfig({
  plugins: [oneLanguage, react()],
  build: { outDir: 'dist', emptyOutDir: true, assetsInlineLimit: 0, sourcemap: false, modulePreload: { polyfill: false } },
  // `npm start -- --watch` serves the pages out of their sources, against the shop that it starts.
  server: {
    port: 5173,
    strictPort: true,
    proxy: { '/api': { target: process.env['SHOP_URL'] ?? 'http://localhost:4000', changeOrigin: false } },
  },
});
