/** The door of cart: opens its parts, serves, and closes the parts in an order that loses nothing. */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import type { Provider } from '@nestjs/common';
import { NestFactory } from '@nestjs/core';
import { AuthService, CartService } from '@cloakroom/contracts';
import { lookAtLog, type Parts } from '@cloakroom/event-log';
import {
  askRelayThrough,
  createPassportVerifier,
  openAdmission,
  jwksFrom,
  openKeyRing,
  openFeedStatus,
  openLateFeed,
} from '@cloakroom/identity';
import { connectMesh, implement, openTls, serveMesh } from '@cloakroom/mesh';
import { lookMaxMs, openAdmin, type PartStatus, type Readiness, type Running, startingMaxMs } from '@cloakroom/platform';
import { CartController } from './cart.controller.ts';
import { CartModule } from './cart.module.ts';
import type { CartConfig } from './config.ts';
import type { LogFollower } from './follow-log.ts';
import { cartToken, followerToken } from './injection.ts';
import type { CartParts } from './cart.dependencies.ts';

export { CartController } from './cart.controller.ts';
export { readConfig, type CartConfig } from './config.ts';
export { cartToken, evolveToken, followerToken } from './injection.ts';

/** @param replaced providers in the place of the module's own. The service itself replaces none; an experiment may. */
export async function start(config: CartConfig, parts: Parts, replaced: readonly Provider[] = []): Promise<Running> {
  const { log, clock } = parts;
  const module = CartModule.with(config, parts, replaced);
  const container = await NestFactory.createApplicationContext(module, { logger: false, abortOnError: false });
  const cart = container.get<CartParts>(cartToken);
  const follower = container.get<LogFollower>(followerToken);
  const tls = config.MESH_TLS === 'mutual' ? await openTls(config.TLS_DIR, 'cart', { log }) : undefined;
  const auth = connectMesh(AuthService, { address: config.AUTH_ADDRESS, tls, log });
  const keys = openKeyRing({ log, clock, fetchJwks: jwksFrom(auth.client) });
  const feed = openLateFeed({
    eventLog: cart.eventLog,
    keys,
    askRelay: askRelayThrough(auth.client),
    clock,
    log,
    group: `cart-feed-${randomUUID()}`,
  });
  await follower.start(keys);
  const mesh = await serveMesh({
    name: 'cart',
    host: config.HOST,
    port: config.LISTEN_PORT,
    tls,
    services: [implement(CartService, container.get(CartController).handlers)],
    admission: openAdmission(createPassportVerifier({ audience: 'cart', keys, feed, clock, accessTokens: true }), clock),
    clock,
    log,
  });
  const admin = await openAdmin({
    host: config.HOST,
    port: config.ADMIN_PORT,
    ready: openReadiness(cart, follower, openFeedStatus(feed, clock), config),
    log,
  });
  return {
    name: 'cart',
    url: `${config.HOST}:${mesh.port}`,
    stop: async () => {
      // Close the writers first, then the readers. Records that are not projected yet wait in the log.
      await mesh.stop();
      await follower.stop();
      await feed.stop();
      await admin.close();
      keys.stop();
      auth.close();
      tls?.stop();
      if (parts.eventLog === undefined) await cart.eventLog.close();
      await cart.view.close();
      await container.close();
    },
  };
}

/**
 * Without the log no write is possible, and without the view no read. But each works without the other, and another replica would have the
 * same trouble. So neither makes the process unready. Only at its start the process waits for a while to hear a log that is up. Without
 * this wait its first reads would say "stale" for no reason.
 */
function openReadiness(
  { eventLog, view, clock }: CartParts,
  follower: LogFollower,
  feedStatus: () => PartStatus,
  config: CartConfig,
): () => Promise<Readiness> {
  const startedMs = clock.monotonicMs();
  return async () => {
    const starting = clock.monotonicMs() - startedMs < startingMaxMs;
    const [log, store] = await Promise.all([
      // At the start readiness depends on whether the log is up, and a busy log may answer late.
      lookAtLog(eventLog, config.EVENT_LOG, starting ? startingMaxMs : lookMaxMs),
      view.status(),
    ]);
    const { ok: reachable, ...details } = store;
    const following = follower.following();
    const stuck = follower.stuck() ?? (following || starting ? undefined : 'the log of carts is not followed yet');
    const logDegraded = log.reachable ? stuck : 'the event log does not answer';
    return {
      eventLog: { ok: following || !log.reachable || !store.ok || !starting, ...log, following, degraded: logDegraded },
      cartView: { ok: true, ...details, reachable, degraded: reachable ? undefined : 'the view of carts does not answer' },
      feed: feedStatus(),
      provider: { ok: true, name: config.PROVIDER },
    };
  };
}
