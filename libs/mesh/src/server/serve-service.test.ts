/** The order in which the parts of a service start and stop. */
import { randomBytes } from 'node:crypto';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client, credentials, status } from '@grpc/grpc-js';
import { Controller, type DynamicModule, Logger, Module, type Provider } from '@nestjs/common';
import { isProblem, TokenExchangeService } from '@cloakroom/contracts';
import { createLogger, startTrace, systemClock } from '@cloakroom/platform';
import { createDevelopmentCa, readTls } from '../tls/tls.ts';
import { expect, it, vi } from 'vitest';
import { connectMesh } from '../client/grpc-client.ts';
import { Rpc } from './rpc.ts';
import { admissionToken, MeshModule, readinessToken, serveService, withLifecycle } from './serve-service.ts';

const admission = { admit: () => Promise.resolve({ identity: undefined }), standing: () => undefined, onRevocation: () => () => undefined };

interface Stage {
  readonly seen: string[];
  readonly gate: PromiseWithResolvers<void>;
  readonly entered: PromiseWithResolvers<void>;
  readonly lines: string[];
  readonly log: ReturnType<typeof createLogger>;
}

function openStage(): Stage {
  const lines: string[] = [];
  const log = createLogger('test', 'info', { write: (line) => void lines.push(line) });
  return { seen: [], gate: Promise.withResolvers<void>(), entered: Promise.withResolvers<void>(), lines, log };
}

/** A connection, a reader that was made from it, and a method that waits. */
function moduleOf({ seen, gate, entered, log }: Stage, broken = false, PROVIDER = 'external'): DynamicModule {
  const part = (name: string): object =>
    withLifecycle({}, () => ({
      onApplicationBootstrap: () => void seen.push(`start ${name}`),
      onApplicationShutdown: () => {
        seen.push(`stop ${name}`);
        if (broken && name === 'reader') throw new Error('the reader hangs');
      },
    }));
  const parts: Provider[] = [
    { provide: 'reader', inject: ['connection'], useFactory: () => part('reader') },
    { provide: 'connection', useFactory: () => part('connection') },
  ];
  @Controller()
  class Exchange {
    @Rpc(TokenExchangeService.method.exchangeToken)
    async exchangeToken() {
      entered.resolve();
      await gate.promise;
      seen.push('answered');
      return {};
    }
  }
  @Module({})
  class App {}
  const config = { HOST: '127.0.0.1', LISTEN_PORT: 0, ADMIN_PORT: 0, MESH_TLS: 'off', TLS_DIR: '', PROVIDER } as const;
  const below = { provide: admissionToken, useValue: admission };
  const ready = { provide: readinessToken, useValue: () => Promise.resolve({}) };
  return {
    module: App,
    imports: [MeshModule.with({ name: 'auth', config, log, clock: systemClock })],
    controllers: [Exchange],
    providers: [...parts, below, ready],
    exports: [MeshModule, admissionToken, readinessToken],
  };
}

const services = [TokenExchangeService];

it('answers the calls under way, then stops each part before the parts that it was made from', async () => {
  const stage = openStage();
  const running = await serveService({ module: moduleOf(stage), services, log: stage.log });
  expect(stage.seen.toSorted()).toEqual(['start connection', 'start reader']);
  stage.seen.length = 0;
  const { client, close } = connectMesh(TokenExchangeService, { address: running.url, tls: undefined, log: stage.log });
  const answer = client.exchangeToken({ budgetMs: 10_000, trace: startTrace(randomBytes) }, {});
  await stage.entered.promise;
  const stopping = running.stop();
  for (let turn = 0; turn < 20; turn++) await new Promise((resolve) => setImmediate(resolve));
  stage.gate.resolve();
  expect(isProblem(await answer)).toBe(false);
  // A second signal waits for the same stop.
  await Promise.all([stopping, running.stop()]);
  expect(stage.seen).toEqual(['answered', 'stop reader', 'stop connection']);
  close();
});

it.each([
  ['native', status.OK],
  ['embedded', status.OK],
  ['docker', status.UNIMPLEMENTED],
  ['external', status.UNIMPLEMENTED],
])('offers health and reflection on a local shop alone: on %s a tool gets the status %i', async (provider, expected) => {
  const stage = openStage();
  const running = await serveService({ module: moduleOf(stage, false, provider), services, log: stage.log });
  const client = new Client(running.url, credentials.createInsecure());
  const asIs = (bytes: Buffer): Buffer => bytes;
  const codeOf = await new Promise<number>((resolve) =>
    client.makeUnaryRequest('/grpc.health.v1.Health/Check', asIs, asIs, Buffer.alloc(0), (error) => resolve(error?.code ?? status.OK)),
  );
  expect(codeOf).toBe(expected);
  client.close();
  await running.stop();
});

it('goes on to stop the others where one fails, and says so', async () => {
  const stage = openStage();
  const running = await serveService({ module: moduleOf(stage, true), services, log: stage.log });
  // Another app of the process turned Nest's logger off.
  Logger.overrideLogger(false);
  await expect(running.stop()).rejects.toThrow('the reader hangs');
  expect(stage.seen.slice(2)).toEqual(['stop reader', 'stop connection']);
  expect(stage.lines.filter((line) => line.includes('the reader hangs'))).toHaveLength(1);
});

it('shows its certificate, and tells its admission which service calls', async () => {
  const stage = openStage();
  stage.gate.resolve();
  const dir = await mkdtemp(join(tmpdir(), 'service-'));
  await createDevelopmentCa(dir, ['auth', 'gateway']);
  const module = moduleOf(stage);
  const config = { HOST: '127.0.0.1', LISTEN_PORT: 0, ADMIN_PORT: 0, MESH_TLS: 'mutual', TLS_DIR: dir, PROVIDER: 'external' } as const;
  const callers: unknown[] = [];
  const admit = (_method: unknown, caller: unknown) => (callers.push(caller), admission.admit());
  module.imports = [MeshModule.with({ name: 'auth', config, log: stage.log, clock: systemClock })];
  module.providers?.push({ provide: admissionToken, useValue: { ...admission, admit } });
  const running = await serveService({ module, services, log: stage.log });
  const address = `localhost:${running.url.split(':')[1]}`;
  const { client, close } = connectMesh(TokenExchangeService, { address, tls: await readTls(dir, 'gateway'), log: stage.log });
  // The first call makes the connection, which may take longer than a call may.
  const answers = async () => !isProblem(await client.exchangeToken({ budgetMs: 10_000, trace: startTrace(randomBytes) }, {}));
  await vi.waitFor(async () => expect(await answers()).toBe(true));
  expect(callers.at(-1)).toEqual({ name: 'gateway', proven: true, audience: 'auth' });
  close();
  await running.stop();
  await rm(dir, { recursive: true });
});

it('stops what it had started where its port is taken', async () => {
  const [first, second] = [openStage(), openStage()];
  const running = await serveService({ module: moduleOf(first), services, log: first.log });
  const module = moduleOf(second);
  const taken = {
    HOST: '127.0.0.1',
    LISTEN_PORT: Number(running.url.split(':')[1]),
    ADMIN_PORT: 0,
    MESH_TLS: 'off',
    TLS_DIR: '',
    PROVIDER: 'external',
  } as const;
  module.imports = [MeshModule.with({ name: 'auth', config: taken, log: second.log, clock: systemClock })];
  await expect(serveService({ module, services, log: second.log })).rejects.toThrow('EADDRINUSE');
  expect(second.seen.slice(2)).toEqual(['stop reader', 'stop connection']);
  await running.stop();
});
