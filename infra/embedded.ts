/**
 * Embedded: every service and both gateways in this one process, each through its app's one door. They still call each other over gRPC and
 * meet in one event log. Only the adapters below them differ.
 */
import { type EventLog, openEventLog, type Parts } from '@cloakroom/event-log';
import { actAs, createLogger, type ProcessParts, readTelemetry, type Running, runProcess, type TelemetryConfig } from '@cloakroom/platform';
import { guardMesh } from '@cloakroom/mesh';
import type { EmbeddedOrders } from './launch/embedded-orders.ts';
import { embeddedAppsVariable } from './launch/embedded-orders.ts';
import type { AppName } from './stack/stack.ts';

type Door = (env: NodeJS.ProcessEnv, parts: Parts) => Promise<Running>;
type Doors = Readonly<Record<AppName, () => Promise<Door>>>;
type Orders = EmbeddedOrders & TelemetryConfig & { readonly PROVIDER: 'embedded'; readonly LOG_LEVEL: string };

/** They are loaded together, because most of the start is reading code. They are started in the order of the drawing. */
export const doors: Doors = {
  auth: async () => open(await import('@cloakroom/auth')),
  cart: async () => open(await import('@cloakroom/cart')),
  profile: async () => open(await import('@cloakroom/profile')),
  catalog: async () => open(await import('@cloakroom/catalog')),
  orders: async () => open(await import('@cloakroom/orders')),
  gateway: async () => open(await import('@cloakroom/gateway')),
};

interface AppModule<Config> {
  readConfig(env: NodeJS.ProcessEnv): Config;
  start(config: Config, parts: Parts): Promise<Running>;
}

function open<Config>(app: AppModule<Config>): Door {
  return (env, parts) => app.start(app.readConfig(env), parts);
}

function readOrders(): Orders {
  const orders = JSON.parse(process.env[embeddedAppsVariable] ?? '') as EmbeddedOrders;
  // The variable is removed, so that child processes do not get it: it holds the MAC key and the secret of the mesh.
  delete process.env[embeddedAppsVariable];
  const env = orders.apps[0]?.env ?? {};
  return { ...orders, ...readTelemetry(env), PROVIDER: 'embedded', LOG_LEVEL: env['LOG_LEVEL'] ?? 'info' };
}

async function startApps(apps: Doors, orders: Orders, { log, clock }: ProcessParts): Promise<Running> {
  guardMesh(orders.meshSecret);
  const eventLog = await openEventLog({ kind: 'embedded', file: orders.eventLogFile, log, clock });
  const names = [...new Set(orders.apps.map(({ app }) => app))];
  const loaded = new Map(await Promise.all(names.map(async (name) => [name, await apps[name]()] as const)));
  const running: Running[] = [];
  const stop = async () => {
    // The edge stops first: no request may reach a service that is gone.
    const failures: unknown[] = [];
    for (const app of running.toReversed()) await app.stop().catch((error: unknown) => failures.push(error));
    await eventLog.close();
    if (failures.length > 0) throw failures[0];
  };
  try {
    for (const { app, env } of orders.apps) {
      const door = loaded.get(app);
      if (door === undefined) throw new Error(`no door to ${app}`);
      const parts = { log: createLogger(app, orders.LOG_LEVEL), clock, eventLog: shared(eventLog) };
      running.push(await actAs({ app, replica: env['REPLICA'] ?? '1' }, () => door({ ...env }, parts)));
    }
  } catch (error) {
    await stop();
    throw error;
  }
  return { name: 'cloakroom', url: running.at(-1)?.url ?? '', stop };
}

/** An app closes the log that it was given, but this one belongs to all apps. */
function shared(eventLog: EventLog): EventLog {
  return new Proxy(eventLog, {
    get(target, key) {
      if (key === 'close') return () => Promise.resolve();
      const value: unknown = Reflect.get(target, key, target);
      return typeof value === 'function' ? (value.bind(target) as unknown) : value;
    },
  });
}

/** Makes this process the shop. An experiment may replace an app's door by another. */
export const runEmbedded = (apps: Doors): void => runProcess('cloakroom', readOrders, (orders, parts) => startApps(apps, orders, parts));

if (import.meta.main) runEmbedded(doors);
