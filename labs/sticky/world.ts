/**
 * Some replicas behind a proxy. With affinity the proxy sends each browser where its cookie says, and to another replica only if that one
 * is gone. Without affinity it uses each replica in turn.
 */
import { type ChildProcess, fork } from 'node:child_process';
import { join } from 'node:path';

/** The process only opens a port; this is far above the time that it takes on a busy machine. */
const startTimeoutMs = 20_000;
/** Says which replica a browser belongs to. Only this lab has the cookie: the shop has none like it. */
export const affinityCookie = 'lab-affinity';

export interface Browser {
  session: string;
  /** The value of the affinity cookie. */
  affinity: number | undefined;
}

interface Replica {
  readonly process: ChildProcess;
  readonly url: string;
}

export interface World {
  signIn(browser: Browser): Promise<void>;
  /** @returns whether the replica that answered knew the session */
  visit(browser: Browser): Promise<boolean>;
  /** Kills a replica and starts another in its place. */
  replace(index: number, meanwhile?: () => Promise<void>): Promise<void>;
  /** Requests by replica since the last call. */
  load(): number[];
  close(): Promise<void>;
}

export interface WorldOptions {
  /** The shared store. If undefined, each replica keeps its sessions in memory. */
  readonly storeUrl: string | undefined;
  readonly sticky: boolean;
  readonly replicaCount: number;
}

export async function openWorld(options: WorldOptions): Promise<World> {
  const { replicaCount } = options;
  const start = () => startReplica(options.storeUrl);
  const replicas: (Replica | undefined)[] = await Promise.all(Array.from({ length: replicaCount }, start));
  let counts = replicas.map(() => 0);
  let turn = 0;

  const choose = (browser: Browser): number => {
    const wanted = options.sticky ? browser.affinity : undefined;
    if (wanted !== undefined && replicas[wanted] !== undefined) return wanted;
    do turn = (turn + 1) % replicaCount;
    while (replicas[turn] === undefined);
    if (options.sticky) browser.affinity = turn;
    return turn;
  };
  const ask = async (browser: Browser, path: string, method: string): Promise<Response> => {
    const index = choose(browser);
    counts[index]! += 1;
    return fetch(`${replicas[index]!.url}/${path}`, { method });
  };
  return {
    async signIn(browser) {
      browser.session = await (await ask(browser, '', 'POST')).text();
    },
    visit: async (browser) => (await ask(browser, browser.session, 'GET')).ok,
    async replace(index, meanwhile) {
      await end(replicas[index]!);
      replicas[index] = undefined;
      await meanwhile?.();
      replicas[index] = await start();
    },
    load() {
      const seen = counts;
      counts = replicas.map(() => 0);
      return seen;
    },
    close: async () => void (await Promise.all(replicas.map((replica) => (replica === undefined ? Promise.resolve() : end(replica))))),
  };
}

async function startReplica(storeUrl: string | undefined): Promise<Replica> {
  const { STORE_URL: _none, ...env } = process.env;
  const child = fork(join(import.meta.dirname, 'replica.ts'), {
    env: { ...env, ...(storeUrl !== undefined && { STORE_URL: storeUrl }) },
    execArgv: ['--disable-warning=ExperimentalWarning'],
    stdio: ['ignore', 'inherit', 'inherit', 'ipc'],
  });
  const port = await new Promise<number>((resolve, reject) => {
    const late = setTimeout(() => reject(new Error('a replica of the lab did not start')), startTimeoutMs);
    child.once('message', (message) => resolve(Number(message)));
    child.once('error', reject);
    child.once('exit', (code) => reject(new Error(`a replica of the lab ended with ${code}`)));
    child.once('message', () => clearTimeout(late));
  });
  return { process: child, url: `http://127.0.0.1:${port}` };
}

function end({ process: child }: Replica): Promise<void> {
  return new Promise((resolve) => {
    child.once('exit', () => resolve());
    child.kill('SIGKILL');
  });
}
