/** The entry of auth: it opens the parts, serves, and closes the parts in the order that loses nothing. */
import 'reflect-metadata';
import { NestFactory } from '@nestjs/core';
import { AccountService, AuthService, TokenExchangeService } from '@cloakroom/contracts';
import { type EventLog, type Parts } from '@cloakroom/event-log';
import { createPassportVerifier, openAdmission } from '@cloakroom/identity';
import { implement, openTls, serveMesh } from '@cloakroom/mesh';
import { openAdmin, type Running } from '@cloakroom/platform';
import { AccountController } from './account.controller.ts';
import { AuthController } from './auth.controller.ts';
import { AuthModule } from './auth.module.ts';
import type { Auth } from './auth.ts';
import type { AuthConfig } from './config.ts';
import { exchangeToken } from './tokens/exchange-token.ts';
import type { Housekeeping } from './operations/housekeeping.ts';
import { authToken, eventLogToken, housekeepingToken, relayToken } from './injection.ts';
import { watchOutbox } from './metrics.ts';
import { lookAtParts } from './operations/readiness.ts';
import { orUnavailable } from './or-unavailable.ts';
import type { Relay } from './operations/relay.ts';
import { closeDemoAccounts, seedAccounts } from './accounts/seed-accounts.ts';
import { reloadIntervalMs } from './tokens/signing-keys.ts';

export { readConfig, type AuthConfig } from './config.ts';

// oxlint-disable-next-line max-lines-per-function -- Longer because it is one list: what is opened, and the order in which it closes.
export async function start(config: AuthConfig, parts: Parts): Promise<Running> {
  const { log, clock } = parts;
  const container = await NestFactory.createApplicationContext(AuthModule.with(config, parts), { logger: false, abortOnError: false });
  const auth = container.get<Auth>(authToken);
  const eventLog = container.get<EventLog>(eventLogToken);
  const relay = container.get<Relay>(relayToken);
  const housekeeping = container.get<Housekeeping>(housekeepingToken);
  await (config.SEED_ACCOUNTS ? seedAccounts(auth) : closeDemoAccounts(auth));
  relay.start();
  const reloading = setInterval(() => {
    auth.keys.reload().catch((error: unknown) => log.debug({ err: error }, 'the signing keys could not be read again'));
  }, reloadIntervalMs);
  housekeeping.start();
  const unwatch = watchOutbox({ database: auth.database, clock });
  const tls = config.MESH_TLS === 'mutual' ? await openTls(config.TLS_DIR, 'auth', { log }) : undefined;
  const mesh = await serveMesh({
    name: 'auth',
    host: config.HOST,
    port: config.LISTEN_PORT,
    tls,
    services: [
      implement(AuthService, container.get(AuthController).handlers),
      implement(AccountService, container.get(AccountController).handlers),
      implement(TokenExchangeService, {
        exchangeToken: (ctx, request) => orUnavailable(auth, ctx, () => exchangeToken(auth, ctx, request)),
      }),
    ],
    // Auth has the keys and the revocations in its own database, so it needs no feed. Use cases for a person look for the session in the store.
    admission: openAdmission(
      createPassportVerifier({
        audience: 'auth',
        keys: { find: (kid) => auth.keys.find(kid), refresh: () => auth.keys.reload(), retire: () => undefined },
        clock,
      }),
      clock,
    ),
    clock,
    log,
  });
  const admin = await openAdmin({
    host: config.HOST,
    port: config.ADMIN_PORT,
    ready: () => lookAtParts(auth, eventLog, relay, config),
    log,
  });
  return {
    name: 'auth',
    url: `${config.HOST}:${mesh.port}`,
    stop: async () => {
      // Stops the parts that cause work before the parts that do it. Rows that the relay has not published stay in the outbox.
      await mesh.stop();
      tls?.stop();
      clearInterval(reloading);
      await housekeeping.stop();
      await relay.stop();
      unwatch();
      await admin.close();
      await auth.store.close();
      if (parts.eventLog === undefined) await eventLog.close();
      await container.close();
      await auth.database.destroy();
    },
  };
}
