/**
 * Counts the files on the way of one `POST /api/cart/lines`, from the request to its answer. They are our own files of which a function ran, by
 * the coverage of real requests on embedded. Background work (heartbeats, relays) does not run during each of many requests, so it drops out. The projector would
 * run during each: its deliveries are held back meanwhile.
 */
import { readFileSync } from 'node:fs';
import { mkdtemp, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { setTimeout as delay } from 'node:timers/promises';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { randomBytes } from 'node:crypto';
import { uuidV7 } from '@cloakroom/contracts';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../stack/folders.ts';
import { startStack, type RunningStack } from '../launch/harness.ts';
import { openDebugger, type Debugger } from './debugger.fixture.ts';

const base = Number(process.env['PATH_TEST_PORT_BASE'] ?? 26_700);
const inspectPort = base + 99;
/**
 * Rounds go on until so many in a row took no file away. On a busy machine most rounds are long enough for a heartbeat of the background: with 24 in
 * a row four of its files were still there.
 */
const steadyRounds = 100;
const roundsMax = 500;
/** Stays below the gateway's limit of requests for one address. */
const pauseMs = 50;
/** Their number before the files were put into rooms (docs/moved.md). */
const filesBefore = 72;

let dataDir: string;
let stack: RunningStack;
let program: Debugger;

beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cloakroom-path-'));
  stack = await startStack({
    provider: 'embedded',
    base,
    dataDir,
    fresh: true,
    telemetry: {},
    preload: join(import.meta.dirname, 'hold-deliveries.fixture.ts'),
    reshape: { launch: (_, launch) => ({ ...launch, args: [`--inspect=127.0.0.1:${inspectPort}`, ...launch.args] }) },
  });
  program = await openDebugger(inspectPort);
});
afterAll(async () => {
  program?.close();
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

/** @returns the files, by their path in the repository, of which a function ran in every round */
async function pathOf(request: () => Promise<void>): Promise<string[]> {
  let always: readonly string[] | undefined;
  await program.send('Profiler.enable');
  await program.send('Profiler.startPreciseCoverage', { callCount: true, detailed: false });
  for (let round = 0, steady = 0; steady < steadyRounds; round++, steady++) {
    if (round === roundsMax) throw new Error(`the files still differ after ${roundsMax} rounds`);
    await delay(pauseMs); // not a wait: the pace of a client
    await program.send('Profiler.takePreciseCoverage');
    await request();
    const { result } = await program.send<Coverage>('Profiler.takePreciseCoverage');
    const files = new Set(result.filter(ran).flatMap(({ url }) => sourceOf(url)));
    const left: readonly string[] = always?.filter((file) => files.has(file)) ?? [...files];
    if (left.length !== always?.length) steady = 0;
    always = left;
  }
  await program.send('Profiler.stopPreciseCoverage');
  return always!.toSorted((a, b) => a.localeCompare(b));
}

const evaluate = (expression: string) => program.send('Runtime.evaluate', { expression });

interface Coverage {
  readonly result: readonly {
    readonly url: string;
    readonly functions: readonly { readonly ranges: readonly { readonly count: number }[] }[];
  }[];
}

const ran = ({ functions }: Coverage['result'][number]): boolean => functions.some(({ ranges }) => ranges[0]!.count > 0);

/** `file:///…/apps/cart/dist/config.js` is `apps/cart/src/config.ts`; what is not ours or was generated is none. */
function sourceOf(url: string): string[] {
  const root = `${pathToFileURL(repository).href}/`;
  if (!url.startsWith(root) || url.includes('/node_modules/') || url.includes('/gen/')) return [];
  return [url.slice(root.length).replace('/dist/', '/src/').replace(/\.js$/, '.ts')].filter((file) => /^(apps|libs)\//.test(file));
}

it('ARCHITECTURE.md tells how many files run for one added line, and names its spine', { timeout: 300_000 }, async () => {
  const gateway = stack.gateways[0]!;
  const page = (await (await fetch(`${gateway}/api/products`)).json()) as { items: { productId: string }[] };
  let cookie = '';
  const add = async (): Promise<void> => {
    const answer = await fetch(`${gateway}/api/cart/lines`, {
      method: 'POST',
      headers: { 'content-type': 'application/json', origin: gateway, ...(cookie !== '' && { cookie }) },
      body: JSON.stringify({
        commandId: uuidV7(Date.now(), randomBytes(10)),
        productId: page.items[0]!.productId,
        options: {},
        quantity: 1,
      }),
    });
    expect([answer.status, await answer.text()]).toEqual([202, expect.any(String)]);
    if (cookie === '')
      cookie = answer.headers
        .getSetCookie()
        .map((line) => line.split(';')[0])
        .join('; ');
  };
  // The first makes the guest's session, the second finds it; from then on the cache knows it.
  await add();
  await add();
  await evaluate('globalThis.deliveriesHeld = new Promise((resolve) => (globalThis.releaseDeliveries = resolve))');
  const files = await pathOf(add);
  await evaluate('globalThis.releaseDeliveries()');

  const [, document = ''] = /^## The request path$(.*?)^## /ms.exec(readFileSync(join(repository, 'ARCHITECTURE.md'), 'utf8')) ?? [];
  const [, told] = /runs code of (\d+) files/.exec(document) ?? [];
  console.log(`${files.length} files:\n${files.join('\n')}`);
  expect(files.length).toBe(Number(told));
  expect(files.length).toBeLessThan(filesBefore);
  const spine = [...document.matchAll(/^ *\d+\. `([^`]+\.ts)`/gm)].map(([, file]) => file!);
  expect(spine.length).toBeGreaterThanOrEqual(6);
  expect(files).toEqual(expect.arrayContaining(spine));
});
