/**
 * The edit loop on embedded, in a throw-away copy of the sources. The copy lies below this repository, so that it finds the packages there, but
 * its own libraries and apps.
 */
import { execFile, spawn } from 'node:child_process';
import type { ChildProcess } from 'node:child_process';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { basename, join } from 'node:path';
import { randomBytes } from 'node:crypto';
import { promisify } from 'node:util';
import { uuidV7 } from '@cloakroom/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { dataRoot, repository } from '../stack/folders.ts';

/** Apart from all other stacks of this repository. */
const base = 9400;
const gateway = `http://localhost:${base}`;
/** A loop builds one project and starts the shop again. So it may take twice as long as the start of the shop in the same run. */
const loopPerStartMax = 2;
/** Guards against hanging: a busy machine builds and starts much slower. */
const patienceMs = 300_000;
const copy = join(dataRoot, 'edit-loop');
let shop: ChildProcess;
let said = '';
let startMs = 0;

beforeAll(async () => {
  rmSync(copy, { recursive: true, force: true });
  const isSource = (path: string) => !/\/(?:node_modules|reports|\.cloakroom)$/.test(path.slice(repository.length));
  mkdirSync(join(copy, 'infra'), { recursive: true });
  for (const path of ['apps', 'libs', 'package.json', 'tsconfig.base.json'])
    cpSync(join(repository, path), join(copy, path), { recursive: true, filter: isSource });
  for (const path of ['cli', 'launch', 'native', 'ocean', 'stack', 'supervisor', 'watch', 'cli.ts', 'embedded.ts', 'package.json'])
    cpSync(join(repository, 'infra', path), join(copy, 'infra', path), { recursive: true, filter: isSource });
  mkdirSync(join(copy, 'node_modules/@cloakroom'), { recursive: true });
  for (const folder of globSync(['apps/*', 'libs/*'], { cwd: copy }))
    if (existsSync(join(copy, folder, 'package.json')))
      symlinkSync(join(copy, folder), join(copy, 'node_modules/@cloakroom', basename(folder)));
  // The copy's paths are others, so the compiler begins anew here. Later it builds what changed.
  await promisify(execFile)(process.execPath, [join(repository, 'node_modules/typescript/bin/tsc'), '-b', 'apps/gateway'], { cwd: copy });
  const startedAt = performance.now();
  shop = spawn(process.execPath, ['infra/cli.ts', 'start', '--infra', 'embedded', '--port-base', String(base), '--watch', 'gateway'], {
    cwd: copy,
  });
  for (const stream of [shop.stdout!, shop.stderr!]) stream.setEncoding('utf8').on('data', (text: string) => (said += text));
  await says(/Cloakroom is ready/);
  startMs = performance.now() - startedAt;
}, patienceMs);

afterAll(async () => {
  if (shop.exitCode === null) {
    const ended = new Promise((resolve) => shop.once('exit', resolve));
    shop.kill('SIGINT');
    await ended;
  }
  rmSync(copy, { recursive: true, force: true });
}, patienceMs);

const says = (pattern: RegExp) =>
  Promise.race([
    vi.waitFor(() => expect(said).toMatch(pattern), { timeout: patienceMs, interval: 20 }),
    new Promise((_, reject) => shop.once('exit', () => reject(new Error(`the shop ended: ${said}`)))),
  ]);
const titleOf = async () => ((await (await fetch(`${gateway}/openapi.json`)).json()) as { info: { title: string } }).info.title;
/** The file of the gateway that holds the text is saved as many editors save: by renaming another over it. */
function edit(from: string, to: string): void {
  const [file = '', ...others] = globSync('apps/gateway/src/**/!(*.test).ts', { cwd: copy }).filter((path) =>
    readFileSync(join(copy, path), 'utf8').includes(from),
  );
  expect([file, ...others]).toHaveLength(1);
  writeFileSync(join(copy, `${file}.saving`), readFileSync(join(copy, file), 'utf8').replace(from, to));
  renameSync(join(copy, `${file}.saving`), join(copy, file));
}
const shopPid = () =>
  (JSON.parse(readFileSync(join(copy, `.cloakroom/embedded-${base}/state.json`), 'utf8')) as { processes: { pid: number }[] }).processes[0]!
    .pid;

/** A browser, as far as cookies go. */
class Browser {
  readonly #jar = new Map<string, string>();

  async ask<Body>(path: string, body?: object): Promise<Body> {
    const cookie = [...this.#jar].map((pair) => pair.join('=')).join('; ');
    const headers = { cookie, origin: gateway, 'content-type': 'application/json' };
    const answer = await fetch(gateway + path, body === undefined ? { headers } : { headers, method: 'POST', body: JSON.stringify(body) });
    for (const set of answer.headers.getSetCookie()) {
      const [, name = '', value = ''] = /^([^=]+)=([^;]*)/.exec(set) ?? [];
      this.#jar.set(name, value);
    }
    if (!answer.ok) throw new Error(`${path} answered ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as Body;
  }
}

interface Cart {
  readonly lines: readonly { readonly productId: string; readonly quantity: number }[];
}

it('a saved change is served soon, and the session and the cart are still there', { timeout: 3 * patienceMs }, async () => {
  const browser = new Browser();
  const { items } = await browser.ask<{ items: { productId: string }[] }>('/api/products');
  const [{ productId } = { productId: '' }] = items;
  const product = await browser.ask<{ options: { name: string; values: string[] }[] }>(`/api/products/${productId}`);
  const options = Object.fromEntries(product.options.map(({ name, values }) => [name, values[0]!]));
  await browser.ask('/api/cart/lines', {
    commandId: uuidV7(Date.now(), randomBytes(10)),
    productId,
    quantity: 2,
    options,
  });
  const before = { session: await browser.ask<object>('/api/session'), pid: shopPid() };
  expect(await titleOf()).toBe('Cloakroom');

  const savedAt = performance.now();
  edit("title: 'Cloakroom'", "title: 'Wardrobe'");
  await says(/watch +apps\/gateway\/src\/.*: built in .* s, cloakroom ready .* s after the save/);
  const tookMs = performance.now() - savedAt;
  expect(await titleOf()).toBe('Wardrobe');
  expect(shopPid()).not.toBe(before.pid);
  expect(await browser.ask<object>('/api/session')).toEqual(before.session);
  await vi.waitFor(
    async () => {
      const { lines } = await browser.ask<Cart>('/api/cart');
      expect(lines).toEqual([expect.objectContaining({ productId, quantity: 2 })]);
    },
    { timeout: patienceMs },
  );
  console.log(`from the save to ready: ${Math.round(tookMs)} ms; the start before it: ${Math.round(startMs)} ms`);
  expect(tookMs / startMs).toBeLessThan(loopPerStartMax);
});

it(
  'a compile error is shown, and nothing is restarted; mended, the shop runs on with what it had',
  { timeout: 3 * patienceMs },
  async () => {
    const [pid, served] = [shopPid(), await titleOf()];
    edit("version: '0.1.0'", 'version: undefinedName');
    await says(/Cannot find name 'undefinedName'[^]*does not compile, so what runs is left as it is/);
    expect([shopPid(), await titleOf()]).toEqual([pid, served]);
    edit('version: undefinedName', "version: '0.1.0'");
    await says(/built in .* s, and no code changed/);
    expect([shopPid(), await titleOf()]).toEqual([pid, served]);
  },
);
