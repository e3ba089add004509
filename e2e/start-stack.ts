import { startStack } from '@cloakroom/infra';
import { openSpanSink } from './kit/span-sink.ts';
import { accessTokenLifetimeMs, dataDir, e2eProvider, portBase, spansFile, variant, waitUntilReady } from './kit/stack.ts';

/**
 * Starts the system the way `npm start` does, once for all tests; the returned function ends it. Telemetry is on, and every line is logged:
 * what would leave the shop is looked at after all tests (no-secret-leaves.e2e.ts).
 */
export default async function start(): Promise<() => Promise<void>> {
  // They take parts away, so they start their own: failures/stage.ts, containers/containers.ts.
  if (e2eProvider === 'failures' || e2eProvider === 'containers') return () => Promise.resolve();
  const sink = await openSpanSink(spansFile);
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint };
  // Each process loads this module first. It takes a defence away, so that the attack on it succeeds (npm run attacks -- --prove).
  const module = process.env['CLOAKROOM_E2E_PRELOAD'];
  const preload = module === undefined ? {} : { preload: module };
  // All four modes, to see them side by side, and access tokens that run out while a test looks on.
  const sessions = { sessionModes: 'reference,hybrid,jwt,jwt-denylist', accessTokenLifetimeMs };
  const stack = await startStack({
    ...variant,
    base: portBase,
    dataDir,
    fresh: 'redis-in-memory',
    logLevel: 'debug',
    telemetry,
    // All tests are at one address; how many sign in within a minute depends on how fast the machine is.
    limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000', RATE_LIMIT_PER_10S: '3000' },
    ...sessions,
    ...preload,
  });
  await waitUntilReady();
  return async () => {
    await stack.stop();
    await sink.close();
  };
}
