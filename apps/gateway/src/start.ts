/** The gateway's door: builds its modules, serves, and stops. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { Parts } from '@cloakroom/event-log';
import { closeApp, nestLogger } from '@cloakroom/mesh';
import { pooledRandomBytes, type Running, startDefaultMetrics } from '@cloakroom/platform';
import type { GatewayConfig } from './config.ts';
import { HttpAdapter } from './edge/http-adapter.ts';
import { GatewayModule } from './gateway.module.ts';

export { readConfig, type GatewayConfig } from './config.ts';

export async function start(config: GatewayConfig, parts: Parts): Promise<Running> {
  startDefaultMetrics();
  const module = GatewayModule.with(config, { ...parts, randomBytes: pooledRandomBytes(), random: Math.random });
  const options = { logger: nestLogger(parts.log), bodyParser: false, abortOnError: false } as const;
  const app = await NestFactory.create(module, new HttpAdapter(config, parts.log), options);
  try {
    await app.listen(config.LISTEN_PORT, config.HOST);
  } catch (error) {
    // A refused start leaves nothing open.
    await closeApp(app, parts.log).catch(() => undefined);
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return { name: 'gateway', url: `http://${config.HOST}:${port}`, stop: () => (stopped ??= closeApp(app, parts.log)) };
}
