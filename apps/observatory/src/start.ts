/** The Observatory's door: builds its modules, serves on loopback, and stops. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { ProcessParts, Running } from '@cloakroom/platform/process-life';
import type { ObservatoryConfig } from './config.ts';
import { HttpAdapter } from './edge/http-adapter.ts';
import { nestLogger } from './edge/nest-logger.ts';
import { ObservatoryModule } from './observatory.module.ts';
import { type Channel, parentChannel } from './stack/supervisor-link.ts';

export * from './api.ts';
export { readConfig, type ObservatoryConfig } from './config.ts';

/**
 * Loopback alone, whatever the environment says: the page's key gives power over processes. By this name the server takes both loopbacks, where the
 * machine has two. A browser would else hand the key to whoever listens on the other.
 */
const host = 'localhost';

/** @param channel to the supervisor; by default that of this process, where a supervisor started it */
export async function start(
  config: ObservatoryConfig,
  parts: ProcessParts,
  channel: Channel | undefined = parentChannel(),
): Promise<Running> {
  const module = ObservatoryModule.with(config, { ...parts, channel });
  const options = { logger: nestLogger(parts.log), bodyParser: false, abortOnError: false } as const;
  const app = await NestFactory.create(module, new HttpAdapter(parts.log), options);
  try {
    await app.listen(config.LISTEN_PORT, host);
  } catch (error) {
    // A refused start leaves nothing open.
    await app.close().catch(() => undefined);
    throw error;
  }
  const { port } = app.getHttpServer().address() as AddressInfo;
  let stopped: Promise<void> | undefined;
  return { name: 'observatory', url: `http://localhost:${port}`, stop: () => (stopped ??= app.close()) };
}
