import { findChromium } from '@cloakroom/infra';
import { defineConfig } from '@playwright/test';
import { e2eProvider, gateways, reportName } from './kit/stack.ts';

/** The browser that `npm test` finds or installs. */
const chromium = findChromium();
/**
 * Embedded has one process for all services, so tests that stop or lose real processes do not run there. Pages and
 * keyboard paths do not depend on the parts below. So they are tested on embedded alone, and the other providers spend
 * their minutes on what only real processes can show. The Observatory's views are tested on one of the two each. Its
 * request view is walked on native, where its hops cross processes. planted-delay.embedded.e2e.ts looks at each hop of
 * the one process. `npm test` runs a part of these files on embedded (infra/testing/test.suites.ts).
 */
const ofThePage = '**/e2e/pages/**';
const left = {
  cluster: [],
  containers: [],
  embedded: ['**/*.native.e2e.ts', '**/*.cluster.e2e.ts', '**/*.failures.e2e.ts', '**/*.containers.e2e.ts', '**/*.regions.e2e.ts'],
  native: [
    '**/*.cluster.e2e.ts',
    '**/*.embedded.e2e.ts',
    '**/*.failures.e2e.ts',
    '**/*.containers.e2e.ts',
    '**/*.regions.e2e.ts',
    ofThePage,
  ],
  failures: [],
  regions: [],
  'native-postgres': [],
}[e2eProvider];
const lastOfAll = '**/no-secret-leaves.e2e.ts';

/**
 * PostgreSQL is below auth, profile, catalog and orders. So these run again: the journey, work that must not be done twice, and the deaths
 * of those four. Everything else is tested on native.
 */
const onPostgres = [
  '**/guest-cart-joins-on-login.e2e.ts',
  '**/login-replayed-changes-nothing.e2e.ts',
  '**/logout-kills-the-cookie-everywhere.e2e.ts',
  '**/every-part-may-die.native.e2e.ts',
];

/** Several of every part: the journey across three gateways, and the tests that need several. */
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
  regions: '**/*.regions.e2e.ts',
  'native-postgres': onPostgres,
  native: '**/*.e2e.ts',
  embedded: '**/*.e2e.ts',
};

export default defineConfig({
  testDir: '.',
  testMatch: chosen[e2eProvider],
  // All tests share one stack, and some break it on purpose. So they run one after the other.
  workers: 1,
  fullyParallel: false,
  forbidOnly: true,
  retries: 0,
  // Guards against hanging, and no promise: a test that holds the shop to a time states its own bound. A
  // crowded machine takes several times as long.
  timeout: 400_000,
  expect: { timeout: 60_000 },
  globalSetup: './start-stack.ts',
  outputDir: `../test-results/${reportName}`,
  reporter: [['list'], ['json', { outputFile: `../test-results/${reportName}.json` }]],
  use: {
    baseURL: gateways[0],
    // A trace takes as much of the processor as the page does. For a failure that needs one: npm run e2e -- --trace on
    trace: 'off',
    screenshot: 'only-on-failure',
    launchOptions: {
      ...(chromium !== undefined && { executablePath: chromium }),
      // There is no sandbox inside a root container, and a machine without a network must not wait for calls home.
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
  // The one worker runs the projects in this order. The last one looks at what all earlier tests wrote, also where one of them failed.
  projects: [
    { name: e2eProvider, testIgnore: [lastOfAll, ...left] },
    ...(e2eProvider === 'embedded' || e2eProvider === 'native'
      ? [{ name: `${e2eProvider}-attacks`, testDir: '../labs/attacks', testIgnore: left }]
      : []),
    ...(e2eProvider === 'regions' ? [{ name: 'regions-bench', testDir: '../labs/bench/regions' }] : []),
    ...(e2eProvider === 'failures' || e2eProvider === 'containers' || e2eProvider === 'regions'
      ? []
      : [{ name: `${e2eProvider}-afterwards`, testMatch: lastOfAll }]),
  ],
});
