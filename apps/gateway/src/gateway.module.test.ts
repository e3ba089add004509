/** The wiring alone: Nest's own module with fakes in the place of everything that reaches out of the process. */
import 'reflect-metadata';
import type { IncomingMessage, ServerResponse } from 'node:http';
import { Controller, Get, type INestApplication, Module, type Type } from '@nestjs/common';
import { Test } from '@nestjs/testing';
import { closeApp } from '@cloakroom/mesh';
import { systemClock } from '@cloakroom/platform';
import { afterEach, describe, expect, it, vi } from 'vitest';
import type { GatewayConfig } from './config.ts';
import { HttpAdapter } from './edge/http-adapter.ts';
import { Policy } from './edge/policy.ts';
import { Streams } from './events/streams.ts';
import { GatewayModule } from './gateway.module.ts';
import type { Gateway } from './gateway.ts';
import type { Outcome } from './http-exchange.ts';
import { connectionsToken, eventLogToken, feedToken, identityToken, keysToken } from './injection.ts';
import { newTokenText } from './testing/fake-auth.fixture.ts';
import { ask, configOf, silent, until } from './testing/gateway.fixture.ts';

const nowhere = Object.fromEntries(['AUTH', 'CART', 'PROFILE', 'CATALOG', 'ORDERS'].map((name) => [`${name}_ADDRESS`, 'localhost:1']));

/** Each fake notes in `events` that it was closed. */
function fakes(events: string[]) {
  const note = (event: string) => () => void events.push(event);
  const gate = Promise.withResolvers<void>();
  return {
    gate,
    connections: {
      auth: {},
      catalog: {
        listProducts: () => {
          events.push('asked');
          return gate.promise.then(() => ({ items: [], total: 0, page: 1, pageSize: 20 }));
        },
      },
      close: note('clients closed'),
    },
    feed: {
      ready: Promise.resolve(),
      leaseValid: () => true,
      leaseAgeMs: () => 0,
      isRevoked: () => false,
      onRevocation: () => () => undefined,
      stop: note('feed stopped'),
    },
    keys: { find: () => undefined, lastSet: () => '{"keys":[]}', stop: note('keys stopped') },
    eventLog: { describe: () => Promise.resolve({}), close: note('event log closed') },
  };
}

let app: INestApplication | undefined;
afterEach(async () => {
  await app?.close();
  app = undefined;
});

async function build(fake: ReturnType<typeof fakes>, more: readonly Type[] = []): Promise<INestApplication> {
  const config: GatewayConfig = configOf(nowhere);
  const parts = { log: silent, clock: systemClock, randomBytes: (length: number) => new Uint8Array(length), random: () => 0.5 };
  const module = await Test.createTestingModule({ imports: [GatewayModule.with(config, parts), ...more] })
    .overrideProvider(connectionsToken)
    .useValue(fake.connections)
    .overrideProvider(feedToken)
    .useValue(fake.feed)
    .overrideProvider(keysToken)
    .useValue(fake.keys)
    .overrideProvider(eventLogToken)
    .useValue(fake.eventLog)
    .compile();
  app = module.createNestApplication(new HttpAdapter(config, silent), { logger: false, bodyParser: false });
  return app;
}

async function listen(gateway: INestApplication): Promise<string> {
  await gateway.listen(0, '127.0.0.1');
  return gateway.getUrl();
}

@Controller('api/unruled')
class UnruledController {
  @Get()
  read(): Outcome {
    return { status: 200 };
  }
}

@Module({ controllers: [UnruledController] })
class UnruledModule {}

@Controller('api/failing')
class FailingController {
  @Get()
  @Policy({ summary: 'Fails.', operationClass: 'operations', identity: 'none', budgetMs: 1, answers: {} })
  read(): Outcome {
    throw new Error('a secret');
  }
}

describe('the modules of the gateway', () => {
  it('serve with fakes put in by their tokens', async () => {
    const fake = fakes([]);
    fake.gate.resolve();
    const url = await listen(await build(fake));
    expect((await ask(url, '/.well-known/jwks.json')).body).toEqual({ keys: [] });
    expect((await ask(url, '/api/products')).body).toMatchObject({ items: [], total: 0 });
  });

  it('answer a public page whose caller cannot be identified for an unknown reason with a problem of ours', async () => {
    const fake = fakes([]);
    fake.gate.resolve();
    const gateway = await build(fake);
    const { identities } = gateway.get<Gateway['identity']>(identityToken);
    vi.spyOn(identities, 'identify').mockRejectedValue(new Error('a secret'));
    const { status, body, headers } = await ask(await listen(gateway), '/api/products', { token: newTokenText() });
    expect([status, body]).toMatchObject([500, { code: 'internal' }]);
    expect(headers.get('server-timing')).toContain('total');
    expect(JSON.stringify(body)).not.toContain('secret');
  });

  it('refuse the start where a route states no policy, and open no port', async () => {
    const gateway = await build(fakes([]), [UnruledModule]);
    await expect(gateway.listen(0, '127.0.0.1')).rejects.toThrow('UnruledController.read states no policy');
    expect(gateway.getHttpServer().listening).toBe(false);
  });

  it('refuse the start where a guard has nothing to judge by: a route in a module without the edge', async () => {
    @Module({ controllers: [FailingController] })
    class WithoutEdge {}
    await expect(build(fakes([]), [WithoutEdge])).rejects.toThrow(/PolicyGuard/);
  });

  it('tell that a part did not stop, and close the others all the same', async () => {
    const events: string[] = [];
    const fake = fakes(events);
    fake.feed.stop = () => {
      throw new Error('the feed hangs');
    };
    const gateway = await build(fake);
    await listen(gateway);
    app = undefined;
    await expect(closeApp(gateway, silent)).rejects.toThrow('the feed hangs');
    expect(events).toEqual(['keys stopped', 'clients closed', 'event log closed']);
  });

  it('stop in order: not ready, streams, requests in flight, the server, and only then what the modules opened', async () => {
    const events: string[] = [];
    const fake = fakes(events);
    const gateway = await build(fake);
    const url = await listen(gateway);
    const seat = gateway.get(Streams).enter('handle', '192.0.2.1');
    if ('problem' in seat) throw new Error('no seat');
    seat.onClosing(() => {
      events.push('stream ended');
      seat.leave();
    });
    gateway.getHttpServer().on('request', ({ url: path }: IncomingMessage, response: ServerResponse) => {
      if (path === '/api/products') response.once('close', () => events.push('answered'));
    });
    const inFlight = ask(url, '/api/products');
    // The request is in flight once its fake has been asked.
    await until(() => events.includes('asked'));
    gateway.getHttpServer().once('close', () => events.push('server closed'));
    const stopped = gateway.close();
    const ready = await ask(url, '/readyz');
    events.push(`ready ${ready.status}`);
    fake.gate.resolve();
    const [{ status }] = await Promise.all([inFlight, stopped]);
    expect(status).toBe(200);
    app = undefined;
    expect(events).toEqual([
      'asked',
      'stream ended',
      'ready 503',
      'answered',
      'server closed',
      'keys stopped',
      'feed stopped',
      'clients closed',
      'event log closed',
    ]);
  });
});
