/** The shop in one process, with real Redis for sessions and for carts: one for each, or one for both. */
import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { startStack, type RunningStack } from '../../infra/launch/harness.ts';
import { dataRoot } from '../../infra/stack/folders.ts';
import { portsOf, type StackSpec } from '../../infra/stack/stack.ts';
import { openStore, type Store } from './store.ts';

export type Form = 'apart' | 'together';
export type Part = 'redis-sessions' | 'redis-carts';

export interface Shop {
  readonly gateway: string;
  /** The Redis that holds it; the same one for both where they are together. */
  readonly stores: Readonly<Record<Part, Store>>;
  stop(): Promise<void>;
}

export async function openShop(form: Form, base: number): Promise<Shop> {
  const folder = join(dataRoot, `lab-blast-radius-${form}`);
  rmSync(folder, { recursive: true, force: true });
  const { redisSessions, redisCarts } = portsOf(base);
  const sessions = await openStore('redis-sessions', redisSessions, folder);
  const carts = form === 'together' ? sessions : await openStore('redis-carts', redisCarts, folder);
  const stores = { 'redis-sessions': sessions, 'redis-carts': carts };
  const stopStores = async (): Promise<void> => void (await Promise.all([...new Set([sessions, carts])].map((store) => store.stop())));
  let stack: RunningStack;
  try {
    stack = await startStack({
      provider: 'embedded',
      base,
      dataDir: join(folder, 'shop'),
      fresh: true,
      logLevel: 'silent',
      telemetry: {},
      sessionModes: 'hybrid,reference,jwt',
      limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000', RATE_LIMIT_PER_10S: '10000' },
      reshape: { spec: (drawn) => storedIn(drawn, sessions.url, carts.url) },
    });
  } catch (error) {
    await stopStores();
    throw error;
  }
  return {
    gateway: stack.gateways[0],
    stores,
    async stop() {
      await stack.stop();
      await stopStores();
    },
  };
}

/** Embedded keeps sessions in a file and carts in memory. Here it has the stores of production in their place. */
function storedIn(drawn: StackSpec, sessionsUrl: string, cartsUrl: string): StackSpec {
  const settings: Readonly<Record<string, Readonly<Record<string, string>>>> = {
    auth: { SESSION_STORE: 'redis', SESSION_REDIS_URL: sessionsUrl },
    cart: { CART_VIEW: 'redis', CART_REDIS_URL: cartsUrl },
  };
  const processes = drawn.processes.map((process) => {
    if (process.run.kind !== 'embedded') return process;
    const apps = process.run.apps.map((app) => {
      const { SESSION_FILE: _none, ...env } = app.env;
      return { ...app, env: { ...env, ...settings[app.app] } };
    });
    return { ...process, run: { ...process.run, apps } };
  });
  return { ...drawn, processes };
}
