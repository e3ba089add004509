import { defineConfig } from '@playwright/test';
import base from './playwright.config.ts';

/** `npm run e2e -- --config screenshots.config.ts` takes the README's pictures from the running shop. */
export default defineConfig({ ...base, testMatch: 'screenshots.ts', projects: [{ name: 'screenshots' }], reporter: 'list' });
