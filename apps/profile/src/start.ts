/** Opens the parts of profile, serves, and closes them again. */
import 'reflect-metadata';
import { randomUUID } from 'node:crypto';
import { NestFactory } from '@nestjs/core';
import { AuthService, ProfileService } from '@cloakroom/contracts';
import { type EventLog, lookAtLog, type Parts } from '@cloakroom/event-log';
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
import { openAdmin, type PartStatus, type Readiness, type Running } from '@cloakroom/platform';
import type { ProfileConfig } from './config.ts';
import { forgetGuests } from './forget-guests.ts';
import { followIdentityEvents, type IdentityEvents } from './identity-events.ts';
import { databaseToken, eventLogToken } from './injection.ts';
import { ProfileController } from './profile.controller.ts';
import { ProfileModule } from './profile.module.ts';
import type { Database } from './profiles.ts';

export { readConfig, type ProfileConfig } from './config.ts';

/** Some guests end every day. An hour between runs keeps each run small. */
const forgetIntervalMs = 60 * 60 * 1000;

export async function start(config: ProfileConfig, parts: Parts): Promise<Running> {
  const { log, clock } = parts;
  const container = await NestFactory.createApplicationContext(ProfileModule.with(config, parts), { logger: false, abortOnError: false });
  const db = container.get<Database>(databaseToken);
  const eventLog = container.get<EventLog>(eventLogToken);
  const tls = config.MESH_TLS === 'mutual' ? await openTls(config.TLS_DIR, 'profile', { log }) : undefined;
  const auth = connectMesh(AuthService, { address: config.AUTH_ADDRESS, tls, log });
  const keys = openKeyRing({ log, clock, fetchJwks: jwksFrom(auth.client) });
  const feed = openLateFeed({ eventLog, keys, askRelay: askRelayThrough(auth.client), clock, log, group: `profile-feed-${randomUUID()}` });
  const sleep = (durationMs: number) => new Promise<void>((resolve) => setTimeout(resolve, durationMs));
  const events = followIdentityEvents(eventLog, { db, keys, clock, log, sleep });
  const forgetting = setInterval(() => {
    forgetGuests(db, clock.nowMs()).catch((error: unknown) => log.warn({ err: error }, 'guests could not be forgotten'));
  }, forgetIntervalMs).unref();
  const mesh = await serveMesh({
    name: 'profile',
    host: config.HOST,
    port: config.LISTEN_PORT,
    tls,
    services: [implement(ProfileService, container.get(ProfileController).handlers)],
    admission: openAdmission(createPassportVerifier({ audience: 'profile', keys, feed, clock, accessTokens: true }), clock),
    clock,
    log,
  });
  const feedStatus = openFeedStatus(feed, clock);
  const admin = await openAdmin({
    host: config.HOST,
    port: config.ADMIN_PORT,
    ready: () => readiness(db, eventLog, events, feedStatus, config),
    log,
  });
  return {
    name: 'profile',
    url: `${config.HOST}:${mesh.port}`,
    stop: async () => {
      await mesh.stop();
      clearInterval(forgetting);
      await events.stop();
      await feed.stop();
      await admin.close();
      keys.stop();
      auth.close();
      tls?.stop();
      if (parts.eventLog === undefined) await eventLog.close();
      await container.close();
      await db.destroy();
    },
  };
}

/** Readiness ignores auth and Kafka: profiles are read and written without them, and joins wait in the log. */
async function readiness(
  db: Database,
  eventLog: EventLog,
  events: IdentityEvents,
  feedStatus: () => PartStatus,
  config: ProfileConfig,
): Promise<Readiness> {
  const [, log] = await Promise.all([
    db.selectFrom('profiles').select('subject').limit(1).execute(),
    lookAtLog(eventLog, config.EVENT_LOG),
  ]);
  return {
    database: { ok: true },
    eventLog: { ok: true, ...log, subscribed: events.subscribed() },
    feed: feedStatus(),
    provider: { ok: true, name: config.PROVIDER },
  };
}
