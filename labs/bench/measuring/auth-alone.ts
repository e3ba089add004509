/** The real auth alone, in this process: behind its mesh door, with its database and its sessions in memory. It starts within a second or two. */
import { randomBytes } from 'node:crypto';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { AuthService, isProblem, type Problem } from '@cloakroom/contracts';
import { type EventLog, openEventLog } from '@cloakroom/event-log';
import { connectMesh, type MeshClient, type MeshConnection, type OutgoingCall } from '@cloakroom/mesh';
import { createLogger, type Logger, metrics, startTrace, systemClock } from '@cloakroom/platform';
import { doors } from '../../../infra/embedded.ts';
import { defaultBase, drawStack } from '../../../infra/stack/stack.ts';
import { answersQuestion } from '../../../apps/gateway/src/identity/resolve-at-auth.ts';

/** Far above what an answer takes on a busy machine. A lab that waits longer has met a defect. */
const budgetMs = 5_000;
const keyBytes = 32;
const attemptsMax = 3;

export interface AuthAlone {
  /** Connected as a gateway is: its questions travel on one stream. */
  readonly client: MeshClient<typeof AuthService>;
  readonly eventLog: EventLog;
  readonly log: Logger;
  readonly port: number;
  readonly macKey: string;
  /** One more connection, such as one through a proxy. */
  connect(address: string): MeshConnection<typeof AuthService>;
  call(): OutgoingCall;
  /** The cookie's token of a new guest. */
  beginGuest(): Promise<string>;
  /** Returns once the end is acknowledged. */
  end(token: string): Promise<void>;
  /** Questions that auth has answered since it started, by auth's own metric. */
  questionCount(): Promise<number>;
  stop(): Promise<void>;
}

export async function openAuthAlone(): Promise<AuthAlone> {
  const log = createLogger('lab', 'silent');
  const eventLog = await openEventLog({ kind: 'embedded', log, clock: systemClock });
  const macKey = newKey();
  const start = await doors.auth();
  const running = await start(settings(macKey), { log, clock: systemClock, eventLog });
  const connect: AuthAlone['connect'] = (address) =>
    connectMesh(AuthService, { address, tls: undefined, log, onStream: { resolve: answersQuestion } });
  const { client, close } = connect(running.url);
  const call = (): OutgoingCall => ({ budgetMs, trace: startTrace(randomBytes) });
  return {
    client,
    eventLog,
    log,
    port: Number(running.url.split(':').at(-1)),
    macKey,
    connect,
    call,
    beginGuest: async () => (await answered(() => client.createGuest(call(), {}))).token,
    end: async (token) => void (await answered(() => client.logout(call(), { token }))),
    questionCount: countOf,
    async stop() {
      close();
      await running.stop();
    },
  };
}

const newKey = (): string => randomBytes(keyBytes).toString('base64url');

/** Those of an embedded shop, with nothing kept in files, and without the limits that protect auth from one busy address. */
function settings(macKey: string): Record<string, string> {
  const drawn = drawStack({ provider: 'embedded', base: defaultBase, dataDir: join(tmpdir(), 'cloakroom-lab'), logLevel: 'silent' });
  const [{ run }] = drawn.processes as [(typeof drawn.processes)[0]];
  const app = run.kind === 'embedded' ? run.apps.find((one) => one.app === 'auth') : undefined;
  if (app === undefined) throw new Error('the drawing of embedded has no auth');
  const { SESSION_FILE: _file, EVENT_LOG_FILE: _log, ...env } = app.env;
  return {
    ...env,
    // Any ports that are free.
    LISTEN_PORT: '0',
    ADMIN_PORT: '0',
    SESSION_STORE: 'memory',
    DATABASE_URL: 'sqlite::memory:',
    SEED_ACCOUNTS: 'false',
    SESSION_MAC_KEY: macKey,
    REFRESH_TOKEN_KEY: newKey(),
    KEY_ENCRYPTION_KEY: newKey(),
    GUEST_LIMIT_PER_HOUR: '10000000',
    GUEST_LIMIT_PER_HOUR_IN_ALL: '100000000',
  };
}

/** Asks again where a busy machine missed the time-out of a call. To begin one guest too many, or to end a session twice, does no harm. */
export async function answered<Answer extends object>(ask: () => Promise<Answer | Problem>): Promise<Answer> {
  for (let attempt = 1; ; attempt++) {
    const answer = await ask();
    if (!isProblem(answer)) return answer;
    if (attempt === attemptsMax) throw new Error(`auth answered ${answer.problem}`);
  }
}

async function countOf(): Promise<number> {
  const counted = await metrics.getSingleMetric('mesh_calls_total')!.get();
  return counted.values
    .filter(
      ({ labels }) => labels['side'] === 'server' && String(labels['method']).endsWith('AuthService/Resolve') && labels['code'] === 'ok',
    )
    .reduce((sum, { value }) => sum + value, 0);
}
