/** Faults at an rpc, seen by a caller over gRPC. Two trainees call at the same moment, and only one of them has switched something on. */
import { randomBytes } from 'node:crypto';
import { Controller, type DynamicModule, Module } from '@nestjs/common';
import { isProblem, TokenExchangeService } from '@cloakroom/contracts';
import {
  armFaults,
  createLogger,
  experimentBelow,
  type Faults,
  startTrace,
  systemClock,
  troubleAt,
  type Trouble,
} from '@cloakroom/platform';
import { afterEach, beforeEach, expect, it } from 'vitest';
import { connectMesh, type MeshConnection } from '../client/grpc-client.ts';
import type { RequestContext } from '../context.ts';
import { Rpc, type Rpcs } from './rpc.ts';
import { admissionToken, MeshModule, readinessToken, serveService } from './serve-service.ts';
import type { Admission } from './server-call.ts';

const log = createLogger('test', 'silent');
const none: Trouble = { delayMs: 0, fails: false, losesAnswer: false, oldMs: 0, holds: false };
const method = 'cloakroom.auth.v1.TokenExchangeService/ExchangeToken';

const letsIn: Admission = {
  admit: () => Promise.resolve({ identity: undefined }),
  standing: () => undefined,
  onRevocation: () => () => undefined,
};

/** Whose calls were done, and the trouble that each met below its ports. */
let done: { readonly by: string | undefined; readonly below: Trouble | undefined }[] = [];

@Controller()
class Exchange implements Rpcs<typeof TokenExchangeService> {
  @Rpc(TokenExchangeService.method.exchangeToken)
  async exchangeToken({ experiment }: RequestContext) {
    done.push({ by: experiment, below: await troubleAt('database', 'auth', experimentBelow()) });
    return { issuedToken: 'yours' };
  }
}

/** For ada alone. */
const forAda =
  (trouble: Partial<Trouble>, point = 'rpc'): Faults =>
  (asked, at, experiment) =>
    Promise.resolve(asked === point && experiment === 'ada' && (point !== 'rpc' || at === method) ? { ...none, ...trouble } : undefined);

let mesh: MeshConnection<typeof TokenExchangeService>;
const stops: (() => unknown)[] = [];
beforeEach(async () => {
  @Module({})
  class App {}
  const config = { HOST: '127.0.0.1', LISTEN_PORT: 0, ADMIN_PORT: 0, MESH_TLS: 'off', TLS_DIR: '', PROVIDER: 'embedded' } as const;
  const module: DynamicModule = {
    module: App,
    imports: [MeshModule.with({ name: 'auth', config, log, clock: systemClock })],
    controllers: [Exchange],
    providers: [
      { provide: admissionToken, useValue: letsIn },
      { provide: readinessToken, useValue: () => Promise.resolve({}) },
    ],
    exports: [MeshModule, admissionToken, readinessToken],
  };
  const running = await serveService({ module, services: [TokenExchangeService], log });
  mesh = connectMesh(TokenExchangeService, { address: running.url, tls: undefined, log });
  stops.push(() => running.stop(), mesh.close);
  done = [];
});
afterEach(async () => {
  armFaults(undefined);
  for (const stop of stops.splice(0).reverse()) await stop();
});

async function call(experiment: string | undefined, budgetMs = 10_000): Promise<{ outcome: string; tookMs: number }> {
  const sinceMs = performance.now();
  const answer = await mesh.client.exchangeToken({ budgetMs, trace: startTrace(randomBytes), experiment }, {});
  return { outcome: isProblem(answer) ? answer.problem : answer.issuedToken, tookMs: performance.now() - sinceMs };
}

it('a slow method is slow for the one who switched it on, and for nobody else at the same moment', async () => {
  await call(undefined);
  // Longer than the test may take: the others come back before her whatever the machine does.
  armFaults(forAda({ delayMs: 10 * 60_000 }));
  let back = false;
  const ada = call('ada', 10 * 60_000).finally(() => (back = true));
  const others = await Promise.all([call('bob'), call(undefined)]);
  expect(others.map(({ outcome }) => outcome)).toEqual(['yours', 'yours']);
  expect(back).toBe(false);
  armFaults(undefined);
  expect((await ada).outcome).toBe('yours');
});

it('a slow method takes as long as its switch says', async () => {
  armFaults(forAda({ delayMs: 400 }));
  const { outcome, tookMs } = await call('ada');
  expect(outcome).toBe('yours');
  expect(tookMs).toBeGreaterThanOrEqual(399);
});

it('a method that fails does nothing, and says that it is unavailable', async () => {
  armFaults(forAda({ fails: true }));
  expect((await call('ada')).outcome).toBe('unavailable');
  expect((await call('bob')).outcome).toBe('yours');
  expect(done.map(({ by }) => by)).toEqual(['bob']);
});

it('a lost answer leaves the caller not knowing, although the work was done', async () => {
  armFaults(forAda({ losesAnswer: true }));
  expect((await call('ada')).outcome).toBe('connection_lost');
  expect(done.map(({ by }) => by)).toEqual(['ada']);
  expect((await call('bob')).outcome).toBe('yours');
});

it('a method slower than its budget ends with the deadline, and its work is not begun', async () => {
  armFaults(forAda({ delayMs: 10 * 60_000 }));
  expect((await call('ada', 100)).outcome).toBe('deadline_exceeded');
  expect(done).toEqual([]);
});

it.each([
  ['lost answers', { losesAnswer: true }],
  ['passed deadlines', { delayMs: 5_000 }],
] as const)('%s of one trainee open no breaker for the others', async (_, trouble) => {
  armFaults(forAda(trouble));
  for (let n = 0; n < 6; n++) await call('ada', 300);
  expect((await call('bob')).outcome).toBe('yours');
});

it('calls of a trainee without a switch open the breaker while another trainee has one', async () => {
  armFaults(
    (point) => Promise.resolve(point === 'rpc' ? { delayMs: 0, fails: false, losesAnswer: true, oldMs: 0, holds: false } : undefined),
    (experiment) => experiment === 'ada',
  );
  for (let n = 0; n < 6; n++) await call('ada', 300);
  expect((await call('bob')).outcome).toBe('connection_lost');
  for (let n = 0; n < 6; n++) await call('bob', 300);
  expect((await call('bob')).outcome).toBe('unavailable');
});

it('a fault below the ports of a service meets the calls of its experiment alone', async () => {
  armFaults(forAda({ fails: true }, 'database'));
  await Promise.all([call('ada'), call('bob'), call(undefined)]);
  expect(Object.fromEntries(done.map(({ by, below }) => [by ?? 'nobody', below?.fails === true]))).toEqual({
    ada: true,
    bob: false,
    nobody: false,
  });
});

it('a fault that is over is over for the next call', async () => {
  armFaults(forAda({ fails: true }));
  expect((await call('ada')).outcome).toBe('unavailable');
  armFaults(undefined);
  expect((await call('ada')).outcome).toBe('yours');
});
