import { randomBytes } from 'node:crypto';
import { observatoryBearer } from '@cloakroom/platform';
import { startStack } from '@cloakroom/infra';
import { openSpanSink } from './kit/span-sink.ts';
import { layOut } from './before/shop-of-before.ts';
import {
  accessTokenLifetimeMs,
  dataDir,
  e2eProvider,
  observedSpansFile,
  portBase,
  spansFile,
  variant,
  waitUntilReady,
} from './kit/stack.ts';
import { withStrictGateway } from './kit/strict-gateway.ts';

/**
 * Starts the system as `npm start` does, once for all tests. The returned function ends it. Telemetry is on, and every line is logged:
 * no-secret-leaves.e2e.ts looks after all tests at what would leave the shop.
 */
export default async function start(): Promise<() => Promise<void>> {
  // These suites take parts away, so they start their own stacks: failures/stage.ts, containers/containers.ts.
  if (e2eProvider === 'failures' || e2eProvider === 'containers') return () => Promise.resolve();
  const sink = await openSpanSink(spansFile);
  // A second one stands in for the Observatory, which is told more.
  const key = randomBytes(32).toString('base64url');
  const observatory = await openSpanSink(observedSpansFile, observatoryBearer(key));
  const telemetry = { OTEL_EXPORTER_OTLP_ENDPOINT: sink.endpoint, OBSERVATORY_URL: observatory.endpoint, OBSERVATORY_SPAN_KEY: key };
  // A shop on native and two regions stand on data of an older build. All of their tests then hold for a shop that was upgraded, or grew.
  const grew = e2eProvider === 'regions';
  const upgraded = e2eProvider === 'native' || grew;
  // Each process loads this module first. The module takes a defence away, so that the attack on it succeeds (npm run attacks -- --prove).
  const module = process.env['CLOAKROOM_E2E_PRELOAD'];
  const preload = module === undefined ? {} : { preload: module };
  // A sign-in may choose any of the four modes, as in every shop on this machine. Access tokens end while a test looks on.
  const sessions = { accessTokenLifetimeMs };
  const options = {
    base: portBase,
    logLevel: 'debug',
    telemetry,
    // All tests share one address. How many sign in within a minute depends on the speed of the machine.
    limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000', RATE_LIMIT_PER_10S: '3000' },
    ...sessions,
    ...preload,
  };
  if (upgraded) await layOut(dataDir, grew ? 'eu' : undefined);
  const stack = await startStack({
    ...variant,
    ...options,
    dataDir,
    fresh: upgraded ? 'kept-redis-in-memory' : 'redis-in-memory',
    ...(grew && { reshape: { spec: withStrictGateway } }),
  });
  await waitUntilReady();
  return async () => {
    await stack.stop();
    await sink.close();
    await observatory.close();
  };
}
