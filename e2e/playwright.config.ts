import { findChromium } from '@cloakroom/infra';
import { defineConfig } from '@playwright/test';
import { e2eProvider, gateways, reportName } from './kit/stack.ts';

/** The one that `npm test` finds or installs. */
const chromium = findChromium();
/**
 * Those that stop or lose real processes have none to lose when all services share one. What a page is made of, and how it is walked, does not
 * depend on what lies below: that is looked at on embedded alone, and the minutes are kept for what only real processes can show.
 */
const ofThePage = '**/e2e/pages/**';
const left = {
  cluster: [],
  containers: [],
  embedded: ['**/*.native.e2e.ts', '**/*.cluster.e2e.ts', '**/*.failures.e2e.ts', '**/*.containers.e2e.ts'],
  native: ['**/*.cluster.e2e.ts', '**/*.embedded.e2e.ts', '**/*.failures.e2e.ts', '**/*.containers.e2e.ts', ofThePage],
  failures: [],
  'native-postgres': [],
}[e2eProvider];
const lastOfAll = '**/no-secret-leaves.e2e.ts';

/** PostgreSQL is below auth, profile and catalog: the journey again, what must not be done twice, and the deaths of those four. The rest is seen on native. */
const onPostgres = [
  '**/guest-cart-joins-on-login.e2e.ts',
  '**/login-replayed-changes-nothing.e2e.ts',
  '**/logout-kills-the-cookie-everywhere.e2e.ts',
  '**/every-part-may-die.native.e2e.ts',
];

/** Several of everything: the journey across three gateways, and what is there only where there are several. */
const onCluster = [
  '**/golden-journey.e2e.ts',
  '**/guest-cart-joins-on-login.e2e.ts',
  '**/login-replayed-changes-nothing.e2e.ts',
  '**/logout-kills-the-cookie-everywhere.e2e.ts',
  '**/one-command-counts-once.e2e.ts',
  '**/one-command-counts-once.native.e2e.ts',
  '**/two-devices-converge.e2e.ts',
  '**/*.cluster.e2e.ts',
];
const chosen = {
  cluster: onCluster,
  containers: '**/*.containers.e2e.ts',
  failures: ['**/*.failures.e2e.ts', '**/failures/document.e2e.ts'],
  'native-postgres': onPostgres,
  native: '**/*.e2e.ts',
  embedded: '**/*.e2e.ts',
};

export default defineConfig({
  testDir: '.',
  testMatch: chosen[e2eProvider],
  // One stack is shared, and some tests break it on purpose: one after the other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  // Guards against hanging, and no promise: a test that holds the shop to a time says so itself. A crowded machine takes several times as long.
  timeout: 180_000,
  expect: { timeout: 30_000 },
  globalSetup: './start-stack.ts',
  outputDir: `../test-results/${reportName}`,
  reporter: [['list'], ['json', { outputFile: `../test-results/${reportName}.json` }]],
  use: {
    baseURL: gateways[0],
    // It takes as much of the processor as the page does. For a failure that needs one: npm run e2e -- --trace on
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(chromium !== undefined && { executablePath: chromium }),
      // No sandbox inside a root container; no calls home from a machine without a network.
      args: [
        '--no-sandbox',
        '--disable-gpu',
        '--disable-background-networking',
        '--disable-component-update',
        '--disable-sync',
        '--no-first-run',
      ],
    },
  },
  // In this order, by the one worker: what is looked at last was written by all before, also where one of them failed.
  projects: [
    { name: e2eProvider, testIgnore: [lastOfAll, ...left] },
    ...(e2eProvider === 'embedded' || e2eProvider === 'native'
      ? [{ name: `${e2eProvider}-attacks`, testDir: '../labs/attacks', testIgnore: left }]
      : []),
    ...(e2eProvider === 'failures' || e2eProvider === 'containers' ? [] : [{ name: `${e2eProvider}-afterwards`, testMatch: lastOfAll }]),
  ],
});
