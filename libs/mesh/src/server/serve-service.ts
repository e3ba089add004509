/**
 * The life of a service: Nest makes its parts, starts them, opens the port, and closes all of it again. A service's module says what it is made of and
 * exports three things that every service has: `MeshModule`, who may call (`admissionToken`) and whether it is ready (`readinessToken`).
 *
 * Start: Nest makes the parts in the order in which they need each other. `onModuleInit` refuses the start if an rpc is missing. Followers and
 * publishers begin in `onApplicationBootstrap`. The mesh's port opens after that, and the admin port last.
 *
 * Stop: the mesh closes first, so that no work comes in. Then each part's `onApplicationShutdown` runs before that of the parts which it was made
 * from. Nest stops parts of one level at the same time, so only a dependency makes an order.
 */
import 'reflect-metadata';
import type { DescService } from '@bufbuild/protobuf';
import type { DynamicModule, INestApplicationContext, LoggerService, OnApplicationBootstrap, OnApplicationShutdown } from '@nestjs/common';
import { Inject, Injectable, Module } from '@nestjs/common';
import { ModulesContainer, NestFactory } from '@nestjs/core';
import type { AsyncMicroserviceOptions } from '@nestjs/microservices';
import { type Admin, type Clock, type Logger, openAdmin, type Readiness, type Running, isLocalProvider } from '@cloakroom/platform';
import { openTls } from '../tls/tls.watch.ts';
import type { MeshTls } from '../tls/tls.ts';
import { MeshTransport, type MeshTransportOptions } from './mesh-transport.ts';
import type { Implementation } from './rpc.ts';
import type { Admission } from './server-call.ts';

/** The settings of every service (`config.ts` of platform). */
export interface ServiceConfig {
  readonly HOST: string;
  readonly LISTEN_PORT: number;
  readonly ADMIN_PORT: number;
  readonly MESH_TLS: 'mutual' | 'off';
  readonly TLS_DIR: string;
  /** "native", "embedded", "docker" or "external": what runs below the services. */
  readonly PROVIDER: string;
}

export interface ServiceProcess {
  /** "cart": as certificates, audiences, logs and Server-Timing name it. */
  readonly name: string;
  readonly config: ServiceConfig;
  readonly log: Logger;
  readonly clock: Clock;
}

/** Tokens to inject by, as interfaces have no name at run time. */
export const processToken = Symbol('ServiceProcess');
export const tlsToken = Symbol('MeshTls');
export const admissionToken = Symbol('Admission');
export const readinessToken = Symbol('Readiness');

type Hooks = Partial<OnApplicationBootstrap & OnApplicationShutdown>;

/**
 * Gives a part that a function made the hooks by which Nest starts and stops it. The hooks stand on the part, so a fake that a test puts in its place
 * is neither started nor stopped.
 * @returns the same part
 */
export const withLifecycle = <Part extends object>(part: Part, hooks: (part: Part) => Hooks): Part => Object.assign(part, hooks(part));

/** The process, and the certificates that its server shows and that its clients need. Without TLS there are none. */
@Module({})
export class MeshModule {
  static with(process: ServiceProcess): DynamicModule {
    const tls = async ({ name, config, log }: ServiceProcess): Promise<MeshTls | undefined> =>
      config.MESH_TLS === 'off'
        ? undefined
        : withLifecycle(await openTls(config.TLS_DIR, name, { log }), (opened) => ({ onApplicationShutdown: () => opened.stop() }));
    return {
      module: MeshModule,
      providers: [
        { provide: processToken, useValue: process },
        { provide: tlsToken, inject: [processToken], useFactory: tls },
      ],
      exports: [processToken, tlsToken],
    };
  }
}

/** Liveness, readiness and metrics. It opens last: a service that says "ready" can be called. */
@Injectable()
export class AdminPort implements OnApplicationShutdown {
  private readonly process: ServiceProcess;
  private readonly ready: () => Promise<Readiness>;
  private admin: Admin | undefined;

  constructor(@Inject(processToken) process: ServiceProcess, @Inject(readinessToken) ready: () => Promise<Readiness>) {
    this.process = process;
    this.ready = ready;
  }

  async open(): Promise<void> {
    const { config, log } = this.process;
    this.admin = await openAdmin({ host: config.HOST, port: config.ADMIN_PORT, ready: this.ready, log });
  }

  async onApplicationShutdown(): Promise<void> {
    await this.admin?.close();
  }
}

/** A service's module with the transport and the admin port around it: the root of the app. */
@Module({})
export class ServiceModule {
  static of(app: DynamicModule, services: readonly DescService[]): DynamicModule {
    const transport = (
      { name, config, log, clock }: ServiceProcess,
      tls: MeshTls | undefined,
      admission: Admission,
      ready: () => Promise<Readiness>,
      all: ModulesContainer,
    ) => {
      const readyForTools = isLocalProvider(config.PROVIDER) ? ready : undefined;
      const place = { name, host: config.HOST, port: config.LISTEN_PORT, tls };
      return new MeshTransport({ ...place, services, admission, clock, log, readyForTools }, all);
    };
    return {
      module: ServiceModule,
      imports: [app],
      providers: [
        AdminPort,
        {
          provide: MeshTransport,
          inject: [processToken, tlsToken, admissionToken, readinessToken, ModulesContainer],
          useFactory: transport,
        },
      ],
    };
  }
}

/**
 * Serves what an app's module is made of. An app's `start` is this one call.
 * @param options.services each rpc of these must have a method in a controller of the app
 */
export async function serveService(options: {
  readonly module: DynamicModule;
  readonly services: readonly DescService[];
  readonly log: Logger;
}): Promise<Running> {
  const app = await openMicroservice(ServiceModule.of(options.module, options.services), options.log);
  const { name, config } = app.get<ServiceProcess>(processToken);
  try {
    await app.listen();
    await app.get(AdminPort).open();
  } catch (error) {
    await closeApp(app, options.log).catch(() => undefined);
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return {
    name,
    url: `${config.HOST}:${app.get(MeshTransport).port}`,
    stop: () => (stopping ??= closeApp(app, options.log)),
  };
}

export interface MeshServer {
  readonly port: number;
  stop(): Promise<void>;
}

/** Serves plain functions on the same transport, without a process around them: for tests, and for services that a test plays. */
export async function serveMesh(
  options: Omit<MeshTransportOptions, 'services'> & { readonly services: readonly Implementation[] },
): Promise<MeshServer> {
  const services = options.services.map(({ service }) => service);
  const transport = (modules: ModulesContainer) => new MeshTransport({ ...options, services }, modules);
  const app = await openMicroservice(
    {
      module: class PlainModule {},
      controllers: options.services.map(({ controller }) => controller),
      providers: [{ provide: MeshTransport, inject: [ModulesContainer], useFactory: transport }],
    },
    options.log,
  );
  try {
    await app.listen();
  } catch (error) {
    await closeApp(app, options.log).catch(() => undefined);
    throw error;
  }
  let stopping: Promise<void> | undefined;
  return { port: app.get(MeshTransport).port, stop: () => (stopping ??= closeApp(app, options.log)) };
}

const openMicroservice = (root: DynamicModule, log: Logger) =>
  NestFactory.createMicroservice<AsyncMicroserviceOptions>(root, {
    inject: [MeshTransport],
    useFactory: (strategy: MeshTransport) => ({ strategy }),
    logger: nestLogger(log),
    abortOnError: false,
  });

/** The errors that hooks threw while an app closed. Nest logs them and closes the rest. It has one logger for all apps of a process. */
const failedStops: unknown[] = [];
let closing = 0;

/** Closes an app, all of it. @throws the first error of a part that did not stop, so that the process ends with a failure */
export async function closeApp(app: Pick<INestApplicationContext, 'close' | 'useLogger'>, log: Logger): Promise<void> {
  app.useLogger(nestLogger(log));
  closing++;
  try {
    await app.close();
  } finally {
    closing--;
  }
  const [first] = failedStops.splice(0);
  if (first !== undefined) throw first;
}

/** The logger of an app. An error that Nest also throws to us is known already. */
export const nestLogger = (log: Logger): LoggerService => ({
  log: () => undefined,
  warn: (message: unknown) => log.warn(String(message)),
  error: (thrown: unknown, ...rest: readonly unknown[]) => {
    if (rest.includes('ExceptionHandler')) return;
    if (closing > 0) failedStops.push(thrown);
    log.error({ err: thrown }, closing > 0 ? 'a part did not stop' : 'Nest reports an error');
  },
});
