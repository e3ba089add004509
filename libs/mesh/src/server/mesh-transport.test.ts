/** Some mistakes refuse the start of a service. A call whose guard is gone is refused. */
import { randomBytes } from 'node:crypto';
import type { DescMethod, DescService } from '@bufbuild/protobuf';
import {
  Controller,
  type DynamicModule,
  Injectable,
  Module,
  type NestInterceptor,
  type OnApplicationBootstrap,
  Scope,
  UseInterceptors,
} from '@nestjs/common';
import { APP_INTERCEPTOR } from '@nestjs/core';
import { MessagePattern } from '@nestjs/microservices';
import { isProblem, problem, type Problem, TokenExchangeService } from '@cloakroom/contracts';
import { createLogger, startTrace, systemClock } from '@cloakroom/platform';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { connectMesh } from '../client/grpc-client.ts';
import type { RequestContext } from '../context.ts';
import { meshTransport, person, Rpc, type Rpcs } from './rpc.ts';
import { admissionToken, MeshModule, readinessToken, serveService } from './serve-service.ts';
import type { Admission } from './server-call.ts';

const log = createLogger('test', 'silent');
const { exchangeToken } = TokenExchangeService.method;
const stops: (() => unknown)[] = [];
afterEach(async () => {
  for (const stop of stops.splice(0).reverse()) await stop();
});

const letsIn: Admission = {
  admit: () => Promise.resolve({ identity: undefined }),
  standing: () => undefined,
  onRevocation: () => () => undefined,
};

@Controller()
class Exchange implements Rpcs<typeof TokenExchangeService> {
  @Rpc(exchangeToken)
  exchangeToken(_ctx: RequestContext, _request: object) {
    return Promise.resolve({ issuedToken: 'yours' });
  }
}

const started = vi.fn<() => void>();
@Injectable()
class Follower implements OnApplicationBootstrap {
  onApplicationBootstrap(): void {
    started();
  }
}

function serve(changes: Partial<DynamicModule>, admission: Admission = letsIn, services: readonly DescService[] = [TokenExchangeService]) {
  @Module({})
  class App {}
  const config = { HOST: '127.0.0.1', LISTEN_PORT: 0, ADMIN_PORT: 0, MESH_TLS: 'off', TLS_DIR: '', PROVIDER: 'external' } as const;
  const module: DynamicModule = {
    module: App,
    imports: [MeshModule.with({ name: 'auth', config, log, clock: systemClock })],
    controllers: [Exchange],
    ...changes,
    providers: [
      { provide: admissionToken, useValue: admission },
      { provide: readinessToken, useValue: () => Promise.resolve({}) },
      Follower,
      ...(changes.providers ?? []),
    ],
    exports: [MeshModule, admissionToken, readinessToken],
  };
  return serveService({ module, services, log });
}

async function call(changes: Partial<DynamicModule>, admission?: Admission): Promise<object> {
  const running = await serve(changes, admission);
  const { client, close } = connectMesh(TokenExchangeService, { address: running.url, tls: undefined, log });
  stops.push(() => running.stop(), close);
  return client.exchangeToken({ budgetMs: 10_000, trace: startTrace(randomBytes) }, {});
}

const passOn: NestInterceptor = { intercept: (_host, next) => next.handle() };

@Controller()
class Twice {
  @Rpc(exchangeToken)
  again() {
    return Promise.resolve({});
  }
}

@Controller()
class Intercepted {
  @Rpc(exchangeToken)
  @UseInterceptors(passOn)
  exchangeToken() {
    return Promise.resolve({});
  }
}

@Controller()
class Unguarded {
  @MessagePattern('an rpc', meshTransport, { method: exchangeToken })
  exchangeToken() {
    return Promise.resolve({});
  }
}

@Controller({ scope: Scope.REQUEST })
class PerRequest extends Exchange {}

describe('a service does not start', () => {
  it.each<[string, Partial<DynamicModule>, string]>([
    ['without a method for an rpc of its contract', { controllers: [] }, 'ExchangeToken has no handler'],
    ['with a method that @Rpc has given no guard', { controllers: [Unguarded] }, 'an rpc has no guard'],
    ['with two methods for one rpc', { controllers: [Exchange, Twice] }, 'ExchangeToken has two handlers'],
    ['with an interceptor on a method', { controllers: [Intercepted] }, 'no interceptor on the mesh'],
    [
      'with an interceptor for the whole app',
      { providers: [{ provide: APP_INTERCEPTOR, useValue: passOn }] },
      'no interceptor on the mesh',
    ],
    ['with a controller that is made anew for each call', { controllers: [PerRequest] }, 'no request scope on the mesh'],
  ])('%s, and none of its parts does', async (_what, changes, why) => {
    started.mockClear();
    await expect(serve(changes)).rejects.toThrow(why);
    expect(started).not.toHaveBeenCalled();
  });

  it('with an rpc that has no policy', async () => {
    const bare = { ...exchangeToken, proto: { ...exchangeToken.proto, options: undefined } } as unknown as typeof exchangeToken;
    const service: DescService = { ...TokenExchangeService, methods: [bare as DescMethod] };
    Object.assign(bare, { parent: service });
    const descriptor = { value: () => Promise.resolve({}) };
    class Bare {}
    Object.defineProperty(Bare.prototype, 'bare', descriptor);
    Rpc(bare)(Bare.prototype, 'bare', descriptor);
    Controller()(Bare);
    started.mockClear();
    await expect(serve({ controllers: [Bare] }, letsIn, [service])).rejects.toThrow('ExchangeToken has no policy option');
    expect(started).not.toHaveBeenCalled();
  });

  it('with a method for an rpc of another service', async () => {
    const descriptor = { value: () => Promise.resolve({}) };
    class Foreign {}
    Object.defineProperty(Foreign.prototype, 'foreign', descriptor);
    const foreign = { ...exchangeToken, parent: { ...exchangeToken.parent, typeName: 'cloakroom.cart.v1.Another' } };
    Rpc(foreign as typeof exchangeToken)(Foreign.prototype, 'foreign', descriptor);
    Controller()(Foreign);
    await expect(serve({ controllers: [Exchange, Foreign] })).rejects.toThrow('is of no service that auth serves');
  });
});

describe('a call', () => {
  it('is admitted before its method runs', async () => {
    const order: string[] = [];
    @Controller()
    class Telling {
      @Rpc(exchangeToken)
      exchangeToken() {
        order.push('method');
        return Promise.resolve({});
      }
    }
    const admit = () => (order.push('admission'), letsIn.admit(undefined as never, undefined as never, undefined as never));
    expect(isProblem(await call({ controllers: [Telling] }, { ...letsIn, admit }))).toBe(false);
    expect(order).toEqual(['admission', 'method']);
  });

  it.each<[string, () => Promise<Problem>, Problem]>([
    ['refuses', () => Promise.resolve(problem('session_required')), problem('session_required')],
    ['fails', () => Promise.reject(new Error('the keys are gone')), problem('internal')],
  ])('whose admission %s does not reach its method', async (_what, admit, outcome) => {
    const reached = vi.fn<() => void>();
    @Controller()
    class Telling {
      @Rpc(exchangeToken)
      exchangeToken() {
        reached();
        return Promise.resolve({});
      }
    }
    expect(await call({ controllers: [Telling] }, { ...letsIn, admit })).toEqual(outcome);
    expect(reached).not.toHaveBeenCalled();
  });

  it('does not reach its method where another function without the guard took its place', async () => {
    const reached = vi.fn<() => Promise<{ issuedToken: string }>>(() => Promise.resolve({ issuedToken: 'stolen' }));
    @Controller()
    class Replaced extends Exchange {
      override exchangeToken = reached;
    }
    expect(await call({ controllers: [Replaced] })).not.toHaveProperty('issuedToken');
    expect(reached).not.toHaveBeenCalled();
  });

  it('ends with the Problem that was thrown from deep inside', async () => {
    @Controller()
    class Throwing {
      @Rpc(exchangeToken)
      async exchangeToken() {
        await Promise.reject(problem('unavailable', undefined, 3));
        return {};
      }
    }
    expect(await call({ controllers: [Throwing] })).toEqual(problem('unavailable', undefined, 3));
  });
});

describe('the compiler', () => {
  it('refuses a method that does not fit its rpc, and a controller that lacks one', () => {
    class Wrong {
      // @ts-expect-error -- its answer has no such field
      @Rpc(exchangeToken)
      answer() {
        return Promise.resolve({ issuedToken: 1 });
      }
      // @ts-expect-error -- its request is another
      @Rpc(exchangeToken)
      request(_ctx: RequestContext, _request: { readonly cartId: string }) {
        return Promise.resolve({});
      }
      // @ts-expect-error -- not every call has a person
      @Rpc(exchangeToken)
      caller(_ctx: ReturnType<typeof person>) {
        return Promise.resolve({});
      }
    }
    // @ts-expect-error -- exchangeToken is missing
    class Lacking implements Rpcs<typeof TokenExchangeService> {}
    expect([Wrong, Lacking]).toHaveLength(2);
  });
});
