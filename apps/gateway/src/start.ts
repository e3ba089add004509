/** The gateway's entry: builds it from its configuration, serves, and stops it in order. */
import 'reflect-metadata';
import type { AddressInfo } from 'node:net';
import { NestFactory } from '@nestjs/core';
import type { NestFastifyApplication } from '@nestjs/platform-fastify';
import type { FastifyInstance } from 'fastify';
import { type Parts } from '@cloakroom/event-log';
import { type Clock, type Running, startDefaultMetrics, pooledRandomBytes } from '@cloakroom/platform';
import { buildGateway } from './build.ts';
import type { GatewayConfig } from './config.ts';
import { GatewayModule } from './gateway.module.ts';
import { HttpAdapter } from './edge/http-adapter.ts';
import { countRequests, prepareServer } from './edge/http-server.ts';

export { readConfig, type GatewayConfig } from './config.ts';

/**
 * How long requests in flight may take to finish once the process was asked to stop. Above most budgets, and below the supervisor's patience.
 */
const drainTimeoutMs = 4_000;
const drainLookIntervalMs = 20;

export async function start(config: GatewayConfig, parts: Parts): Promise<Running> {
  startDefaultMetrics();
  const { gateway, close } = await buildGateway(config, { ...parts, randomBytes: pooledRandomBytes(), random: Math.random });
  const adapter = new HttpAdapter(config, parts.log);
  const app = await NestFactory.create<NestFastifyApplication>(GatewayModule.with(gateway), adapter, {
    logger: false,
    bodyParser: false,
    abortOnError: false,
  });
  const server = adapter.getInstance() as unknown as FastifyInstance;
  const inFlight = countRequests(server);
  await prepareServer(server, gateway);
  await app.listen(config.LISTEN_PORT, config.HOST);
  const { port } = server.server.address() as AddressInfo;

  let stopped: Promise<void> | undefined;
  const stop = async (): Promise<void> => {
    // /readyz says no from here on. Live streams end, and their clients go to another replica.
    gateway.stop();
    gateway.streams.closeAll();
    await drained(inFlight, parts.clock);
    await app.close();
    await close();
  };
  return { name: 'gateway', url: `http://${config.HOST}:${port}`, stop: () => (stopped ??= stop()) };
}

async function drained(inFlight: () => number, clock: Clock): Promise<void> {
  const endMs = clock.monotonicMs() + drainTimeoutMs;
  while (inFlight() > 0 && clock.monotonicMs() < endMs) await new Promise((resolve) => setTimeout(resolve, drainLookIntervalMs));
}
