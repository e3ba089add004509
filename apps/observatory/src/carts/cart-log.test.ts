import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, beforeAll, beforeEach, expect, it } from 'vitest';
import { readConfig } from '../config.ts';
import { CartLogs, cartLogSourceOf } from './cart-log.ts';

const cart = 'u_018bcfe5-6800-7000-8000-000000000001';
const never = new AbortController().signal;

let folder: string;
let journal: string;
let logs: CartLogs;
beforeAll(() => {
  folder = mkdtempSync(join(tmpdir(), 'cloakroom-cart-log-'));
  journal = join(folder, 'journal');
  // A program that says when it runs. The first one waits for the second, because a busy machine starts them far apart.
  writeFileSync(
    join(folder, 'program.mjs'),
    `import { appendFileSync, readFileSync } from 'node:fs';
     const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));
     appendFileSync(process.env.JOURNAL, '+');
     while (readFileSync(process.env.JOURNAL, 'utf8').split('+').length <= 2) await pause(10);
     await pause(100);
     appendFileSync(process.env.JOURNAL, '-');
     console.log(JSON.stringify({ offset: '7', at: '2026-01-01T00:00:00Z', changed: true, after: { lines: [] } }));`,
  );
});
beforeEach(() => {
  writeFileSync(journal, '');
  logs = new CartLogs({ program: join(folder, 'program.mjs'), env: { JOURNAL: journal } });
});
afterAll(() => rmSync(folder, { recursive: true }));

it('six pages get the log, though only two programs run at once', async () => {
  const views = await Promise.all(Array.from({ length: 6 }, () => logs.read(cart, never)));
  expect(views.map(({ steps }) => steps.map(({ offset }) => offset))).toEqual(Array(6).fill(['7']));
  let running = 0;
  const seen = readFileSync(journal, 'utf8')
    .split('')
    .map((sign) => (running += sign === '+' ? 1 : -1));
  expect(seen).toHaveLength(12);
  expect(Math.max(...seen)).toBe(2);
});

it('a page that left while it waited starts no program and holds up no other', async () => {
  const left = new AbortController();
  const reads = [never, never, left.signal, never].map((gone) => logs.read(cart, gone));
  left.abort();
  const outcomes = await Promise.allSettled(reads);
  expect(outcomes.map(({ status }) => status)).toEqual(['fulfilled', 'fulfilled', 'rejected', 'fulfilled']);
  expect(readFileSync(journal, 'utf8')).toHaveLength(6);
});

it('more than eight that wait are refused, and the others are answered', async () => {
  const outcomes = await Promise.allSettled(Array.from({ length: 11 }, () => logs.read(cart, never)));
  const refused = outcomes.flatMap((outcome) => (outcome.status === 'rejected' ? [outcome.reason as unknown] : []));
  expect(refused).toEqual([expect.objectContaining({ code: 'too_many_requests' })]);
});

it('with two regions the logs of the one that is named are read, and each event tells whose log took it', async () => {
  const program = join(folder, 'echo.mjs');
  writeFileSync(
    program,
    `const { REGION: region, OTHER_REGIONS: others, KAFKA_BROKERS: brokers } = process.env;
     console.log(JSON.stringify({ offset: '7', region, event: { others, brokers }, at: '2026-01-01T00:00:00Z', changed: true, after: { lines: [] } }));`,
  );
  const CART_LOGS = {
    eu: { KAFKA_BROKERS: 'a:1', REGION: 'eu', OTHER_REGIONS: 'us=b:2' },
    us: { KAFKA_BROKERS: 'c:3', REGION: 'us', OTHER_REGIONS: 'eu=d:4' },
  };
  const read = readConfig({
    LISTEN_PORT: '0',
    OBSERVATORY_PAGE_KEY: 'p'.repeat(43),
    OBSERVATORY_SPAN_KEY: 's'.repeat(43),
    CART_HISTORY_PROGRAM: program,
    CART_LOGS: JSON.stringify(CART_LOGS),
  });
  const both = new CartLogs(cartLogSourceOf(read));
  expect(await both.read(cart, never, 'us')).toMatchObject({
    region: 'us',
    steps: [{ offset: '7', region: 'us', event: { others: 'eu=d:4', brokers: 'c:3' } }],
  });
  expect(await both.read(cart, never, 'eu')).toMatchObject({ region: 'eu', steps: [{ region: 'eu', event: { brokers: 'a:1' } }] });
  for (const region of ['mars', 'constructor'])
    await expect(both.read(cart, never, region)).rejects.toMatchObject({ code: 'invalid_request', detail: 'A region is one of: eu, us.' });
  await expect(logs.read(cart, never, 'us')).rejects.toMatchObject({ code: 'invalid_request' });
});
