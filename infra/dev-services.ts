/**
 * Two Redis and one Kafka for tests that are run by hand: `node infra/dev-services.ts --base 22000`.
 * Prints the environment of the integration tests, stays until a signal, then ends all three.
 */
import { join } from 'node:path';
import { launch } from './child.ts';
import type { Child } from './child.ts';
import { kafkaLaunch, obtainKafka } from './native/kafka.ts';
import { obtainRedis, redisLaunch } from './native/redis.ts';
import { kafkaProbe, portTaken, redisProbe, waitFor } from './probe.ts';
import type { Probe } from './probe.ts';

export interface DevServices {
  readonly env: Readonly<Record<string, string>>;
  stop(): Promise<void>;
}

/** Kafka on 2 busy cores takes up to 20 s; 3 times that is a failure. */
const readyTimeoutMs = 60_000;
/** Kafka flushes within 2-3 s. */
const stopGraceMs = 8_000;

export async function startDevServices(options: {
  base: number;
  dataDir: string;
  toolsDir: string;
  say: (line: string) => void;
}): Promise<DevServices> {
  const { base, dataDir, toolsDir, say } = options;
  const ports = { sessions: base + 210, carts: base + 220, kafka: base + 230, controller: base + 231 };
  for (const port of Object.values(ports)) if (await portTaken(port)) throw new Error(`port ${port} is in use: choose another --base`);
  const logFile = (name: string) => join(dataDir, 'logs', `${name}.log`);
  const redis = await obtainRedis(toolsDir, say);
  if (!redis.ok) throw new Error(`${redis.why}. Try: ${redis.remedy}`);
  const kafka = await obtainKafka(toolsDir, say);
  if (!kafka.ok) throw new Error(`${kafka.why}. Try: ${kafka.remedy}`);
  const broker = await kafkaLaunch(kafka.value, {
    name: 'kafka',
    port: ports.kafka,
    controllerPort: ports.controller,
    dir: join(dataDir, 'kafka'),
    logFile: logFile('kafka'),
  });
  if (!broker.ok) throw new Error(`${broker.why}. Try: ${broker.remedy}`);
  const started: Child[] = [];
  const stop = async () => {
    await Promise.all(started.map((child) => child.end(stopGraceMs)));
  };
  const begin = (name: 'sessions' | 'carts') =>
    redisLaunch(redis.value, { name, port: ports[name], dir: join(dataDir, name), logFile: logFile(name) });
  const parts: [Parameters<typeof launch>[0], Probe][] = [
    [begin('sessions'), redisProbe(ports.sessions)],
    [begin('carts'), redisProbe(ports.carts)],
    [broker.value, kafkaProbe(ports.kafka)],
  ];
  for (const [spec] of parts) started.push(launch(spec));
  for (const [index, [spec, probe]] of parts.entries()) {
    const child = started[index];
    const ready = await waitFor(probe, {
      timeoutMs: readyTimeoutMs,
      givesUp: () => (child?.exit() === undefined ? undefined : `it ended: see ${spec.logFile}`),
    });
    if (ready.ok) continue;
    await stop();
    throw new Error(`${spec.name} did not come up: ${ready.detail}`);
  }
  return {
    env: {
      TEST_KAFKA_BROKERS: `127.0.0.1:${ports.kafka}`,
      TEST_KAFKA_PID: String(started[2]?.pid ?? ''),
      TEST_SESSION_REDIS_URL: `redis://127.0.0.1:${ports.sessions}`,
      TEST_CART_REDIS_URL: `redis://127.0.0.1:${ports.carts}`,
    },
    stop,
  };
}

async function main(): Promise<void> {
  const base = Number(process.argv[process.argv.indexOf('--base') + 1] || Number.NaN);
  if (!process.argv.includes('--base') || !Number.isInteger(base)) throw new Error('usage: node infra/dev-services.ts --base 22000');
  const root = join(import.meta.dirname, '..', '.cloakroom');
  const services = await startDevServices({
    base,
    dataDir: join(root, `dev-${base}`),
    toolsDir: join(root, 'tools'),
    say: (line) => process.stderr.write(`${line}\n`),
  });
  const words = Object.entries(services.env).map(([key, value]) => `${key}=${value}`);
  process.stdout.write(`export ${words.join(' ')}\n`);
  await new Promise<void>((resolve) => {
    // Node would end by itself with nothing left to wait for.
    const alive = setInterval(() => undefined, 60_000);
    for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) {
      process.on(signal, () => {
        clearInterval(alive);
        resolve();
      });
    }
  });
  await services.stop();
}

if (import.meta.main) {
  main().catch((error: unknown) => {
    process.stderr.write(`${error instanceof Error ? error.message : String(error)}\n`);
    process.exitCode = 1;
  });
}
