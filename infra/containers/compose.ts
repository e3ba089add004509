/**
 * infra/compose.yaml, derived from the drawing: the same processes, ports, needs and environment as native, each in a separate container.
 * `node infra/containers/write.ts` writes the file, and a test compares the two. `npm start -- --infra docker` renders it for its own
 * ports.
 *
 * Two files are shared with native by mounting them. infra/redis/redis.conf is used whole; address and folder come as arguments, which win.
 * infra/kafka/server.properties has placeholders (listener hosts, ports, folder): infra/kafka/start-in-container.sh fills them in, as
 * infra/native/kafka.ts does for native. No container runs as root, gains a privilege, keeps a capability or writes to its image.
 */
import type { Database } from '../stack/stack.spec.ts';
import { drawStack, meshNames } from '../stack/stack.ts';
import type { AppSpec, ProcessName, ProcessSpec } from '../stack/stack.ts';
import { images, ownImage } from './images.ts';

export interface ComposeOptions {
  readonly base: number;
  readonly logLevel?: string | undefined;
  readonly sessionMode?: string | undefined;
  readonly sessionModes?: string | undefined;
  readonly database?: Database | undefined;
}

export type ComposeService = Readonly<Record<string, unknown>>;

export interface ComposeFile {
  readonly name?: string;
  readonly services: Readonly<Record<string, ComposeService>>;
  readonly volumes?: Readonly<Record<string, object>>;
  readonly networks?: Readonly<Record<string, object>>;
  readonly configs?: Readonly<Record<string, object>>;
}

/** The place in the image of the files that a service reads or writes. */
export const dataInContainer = '/data';
const webInContainer = '/app/apps/web/dist';
const kafkaData = '/var/lib/kafka/data';

/** About twice the memory that each uses after an hour (npm run status). So a leak ends that container and not the machine. */
const memory = { app: '384m', redis: '256m', kafka: '768m', postgres: '256m', certificates: '256m' } as const;
/** Many times the threads of Node and of a broker's pools, and far below what a fork bomb takes. */
const pidsMax = { app: 128, infra: 512 } as const;

/** process.ts gives a stop 8 s before it ends itself. */
const stopGrace = '10s';

/** Asked often during the start, so that the next container need not wait, and seldom later. */
const healthRhythm = { interval: '10s', timeout: '3s', retries: 3, start_period: '90s', start_interval: '1s' };

export function drawCompose(options: ComposeOptions): ComposeFile {
  const { base } = options;
  const { processes } = drawStack({ ...options, provider: 'docker', dataDir: dataInContainer, webDir: webInContainer });
  const services = Object.fromEntries(processes.map((spec) => [spec.name, drawService(spec)]));
  const volumes = Object.values(services).flatMap(volumesOf);
  return {
    name: base === 4000 ? 'cloakroom' : `cloakroom-${base}`,
    services: { certificates: certificates(), ...services },
    volumes: Object.fromEntries([...new Set(['certificates', ...volumes])].map((volume) => [volume, {}])),
    networks: {
      // Published ports need a network that reaches the host. All other traffic uses a network that reaches nothing outside.
      edge: {},
      mesh: { internal: true },
    },
  };
}

export function drawService(spec: ProcessSpec): ComposeService {
  if (spec.run.kind === 'redis') return redis(spec.name, spec.run.port);
  if (spec.run.kind === 'kafka') return kafka(spec.run.port, spec.run.controllerPort);
  if (spec.run.kind === 'postgres') return postgres(spec.run.port, spec.run.databases);
  if (spec.run.kind === 'app') return app(spec, spec.run.app);
  throw new Error(`${spec.name} has no container: ${spec.run.kind}`);
}

/** infra/compose.postgres.yaml: the changes for a real PostgreSQL below auth, profile, catalog and orders. */
export function drawPostgresOverlay(base: number): ComposeFile {
  const [plain, full] = [drawCompose({ base }), drawCompose({ base, database: 'postgres' })];
  const changes = Object.entries(full.services).flatMap(([name, service]) => {
    const before = plain.services[name];
    if (before === undefined) return [[name, service] as const];
    const parts = ['environment', 'depends_on'].map((key) => [key, changed(before[key], service[key])] as const);
    const told = Object.fromEntries(parts.filter(([, value]) => Object.keys(value).length > 0));
    return Object.keys(told).length > 0 ? [[name, told] as const] : [];
  });
  return { services: Object.fromEntries(changes), volumes: { postgres: {} } };
}

/** Compose merges maps, so an overlay names only new and changed entries. */
function changed(before: unknown, after: unknown): object {
  const [old, now] = [(before ?? {}) as Record<string, unknown>, (after ?? {}) as Record<string, unknown>];
  return Object.fromEntries(Object.entries(now).filter(([key, value]) => JSON.stringify(value) !== JSON.stringify(old[key])));
}

/** Restrictions of every container in this file. */
export const confined = { read_only: true, cap_drop: ['ALL'], security_opt: ['no-new-privileges:true'], init: true } as const;

/** No registry has this image. `certificates`, which all of our services wait for, has built it. */
const own = { image: ownImage, pull_policy: 'never', ...confined, tmpfs: ['/tmp'] } as const;

/**
 * It ends well before a service starts, and keeps certificates that are good for a week more. Only this service says how the image is
 * built. Compose builds once for each service that says so, and all but the last of those builds would stay behind without a name.
 */
function certificates(): ComposeService {
  return {
    ...own,
    build: { context: '..', dockerfile: 'infra/Dockerfile' },
    pull_policy: 'build',
    command: ['node', 'infra/containers/hand-out-certificates.ts', '/certificates', '/handout', ...meshNames],
    healthcheck: { disable: true },
    restart: 'no',
    mem_limit: memory.certificates,
    pids_limit: pidsMax.app,
    network_mode: 'none',
    volumes: ['certificates:/certificates', ...meshNames.map((name) => `tls-${name}:/handout/${name}`)],
  };
}

function app(spec: ProcessSpec, { app: name, env, secrets }: AppSpec): ComposeService {
  const isEdge = env['ADMIN_PORT'] === undefined;
  const port = spec.ports[0];
  return {
    ...own,
    command: ['node', `apps/${name}/dist/main.js`],
    environment: { NODE_ENV: 'production', ...env, ...Object.fromEntries(secrets.map((secret) => [secret, required(secret)])) },
    depends_on: { certificates: { condition: 'service_completed_successfully' }, ...healthy(spec.needs) },
    // Node must start before it can ask. On a busy machine that alone may take seconds.
    healthcheck: { test: ['CMD', 'node', 'infra/containers/healthcheck.mjs'], ...healthRhythm, timeout: '10s', start_interval: '2s' },
    restart: 'unless-stopped',
    stop_grace_period: stopGrace,
    mem_limit: memory.app,
    pids_limit: pidsMax.app,
    networks: isEdge ? ['edge', 'mesh'] : ['mesh'],
    ...(isEdge && { ports: [`127.0.0.1:${port}:${port}`] }),
    volumes: [
      `tls-${name}:${dataInContainer}/tls:ro`,
      ...(env['DATABASE_URL']?.startsWith('sqlite:') ? [`db-${name}:${dataInContainer}/db`] : []),
    ],
  };
}

/** A value that the person who starts compose must give: no file holds it. */
function required(secret: string): string {
  return `\${${secret}:?is needed, base64url of 32 random bytes, see docs/deploy.md}`;
}

function healthy(needs: readonly ProcessName[]) {
  return Object.fromEntries(needs.map((need) => [need, { condition: 'service_healthy' }]));
}

function redis(name: ProcessName, port: number): ComposeService {
  return {
    image: images.redis,
    user: 'valkey',
    ...confined,
    // The file binds to loopback, which inside a container no other container can reach. Protected mode would refuse clients, because there
    // is no password. The network is internal.
    command: [
      'valkey-server',
      '/etc/cloakroom/redis.conf',
      '--bind',
      '0.0.0.0',
      '--protected-mode',
      'no',
      '--port',
      String(port),
      '--dir',
      '/data',
    ],
    healthcheck: { test: ['CMD-SHELL', `valkey-cli -p ${port} ping | grep -q PONG`], ...healthRhythm },
    restart: 'unless-stopped',
    stop_grace_period: stopGrace,
    mem_limit: memory.redis,
    pids_limit: pidsMax.infra,
    networks: ['mesh'],
    volumes: ['./redis/redis.conf:/etc/cloakroom/redis.conf:ro', `${name}:/data`],
  };
}

function kafka(port: number, controllerPort: number): ComposeService {
  return {
    image: images.kafka,
    ...confined,
    entrypoint: ['/bin/bash', '/etc/cloakroom/start-in-container.sh'],
    environment: {
      ADVERTISED_HOST: 'kafka',
      BROKER_PORT: String(port),
      CONTROLLER_PORT: String(controllerPort),
      KAFKA_HEAP_OPTS: '-Xms64m -Xmx256m',
      // Without this, Kafka's own script chooses a garbage collector. With two chosen collectors Java refuses to start.
      KAFKA_JVM_PERFORMANCE_OPTS: '-XX:+UseSerialGC -XX:+ExitOnOutOfMemoryError -Djava.awt.headless=true',
      KAFKA_LOG4J_OPTS: '-Dlog4j2.configurationFile=/etc/cloakroom/log4j2.properties',
      LOG_DIR: '/tmp',
      // The script's default writes up to 1 GB of garbage collection logs, which would be in memory here.
      EXTRA_ARGS: '-name kafkaServer',
    },
    healthcheck: { test: ['CMD', '/bin/bash', '/etc/cloakroom/answers-in-container.sh'], ...healthRhythm },
    restart: 'unless-stopped',
    stop_grace_period: stopGrace,
    mem_limit: memory.kafka,
    pids_limit: pidsMax.infra,
    networks: ['mesh'],
    // Kafka's compression libraries unpack themselves in /tmp and run from there. The image declares the other two as volumes: each
    // start would leave an unnamed volume behind.
    tmpfs: ['/tmp:exec', '/etc/kafka/secrets', '/mnt/shared/config'],
    volumes: [
      './kafka/start-in-container.sh:/etc/cloakroom/start-in-container.sh:ro',
      './kafka/answers-in-container.sh:/etc/cloakroom/answers-in-container.sh:ro',
      './kafka/server.properties:/etc/cloakroom/server.properties:ro',
      './kafka/log4j2.properties:/etc/cloakroom/log4j2.properties:ro',
      `kafka:${kafkaData}`,
    ],
  };
}

/** The image makes its cluster itself. Roles and databases are the same as on native (infra/native/postgres.ts). */
function postgres(port: number, databases: readonly string[]): ComposeService {
  return {
    image: images.postgres,
    user: 'postgres',
    ...confined,
    // The file listens on loopback without a socket, but the image's own first start uses a socket.
    command: [
      'postgres',
      '-c',
      'config_file=/etc/cloakroom/postgresql.conf',
      '-c',
      'listen_addresses=*',
      '-c',
      `port=${port}`,
      '-c',
      'unix_socket_directories=/var/run/postgresql',
    ],
    environment: {
      PGPORT: String(port),
      POSTGRES_USER: 'cloakroom',
      POSTGRES_PASSWORD: required('DATABASE_PASSWORD'),
      POSTGRES_INITDB_ARGS: '--auth-host=scram-sha-256 --encoding=UTF8 --locale=C',
      DATABASES: databases.join(' '),
      DATABASE_PASSWORD: required('DATABASE_PASSWORD'),
    },
    // It asks by address, because the first start, which makes the databases, listens only on its socket.
    healthcheck: { test: ['CMD', 'pg_isready', '--host=127.0.0.1', `--port=${port}`, '--username=cloakroom'], ...healthRhythm },
    restart: 'unless-stopped',
    stop_grace_period: stopGrace,
    mem_limit: memory.postgres,
    pids_limit: pidsMax.infra,
    shm_size: '64m',
    networks: ['mesh'],
    tmpfs: ['/tmp', '/var/run/postgresql'],
    volumes: [
      './postgres/postgresql.conf:/etc/cloakroom/postgresql.conf:ro',
      './postgres/make-databases.sh:/docker-entrypoint-initdb.d/make-databases.sh:ro',
      'postgres:/var/lib/postgresql',
    ],
  };
}

/** Named volumes; files of the repository are not in this list. */
export function volumesOf(service: ComposeService): string[] {
  const mounts = (service['volumes'] ?? []) as readonly string[];
  return mounts.map((mount) => mount.split(':')[0]!).filter((source) => !source.startsWith('.'));
}
