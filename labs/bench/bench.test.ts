import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { drawSvg } from './measuring/chart.ts';
import { edgeReport } from './edge/edge.report.ts';
import { checked, Load, openGenerator, type Block, type Generator } from './measuring/load.ts';
import { describeMachine } from './measuring/machine.ts';
import { peersReport } from './edge/peers.report.ts';
import { topOf } from './measuring/profile.ts';
import { markdown, performanceDoc, performancePage, publishedDir, publishTo, writeReport, type Report } from './measuring/report.ts';
import { revocationReport } from './sessions/revocation.report.ts';
import { rotated, spread } from './measuring/statistics.ts';
import { storeReport } from './sessions/store.report.ts';

const machine = describeMachine(new Date('2026-01-02T03:04:05Z'));
const folder = mkdtempSync(join(tmpdir(), 'bench-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

describe('the load generator', () => {
  let server: Server;
  let origin: string;
  let generator: Generator;
  let stall = false;
  beforeAll(async () => {
    server = createServer((request, response) => {
      const answer = (): void => void response.writeHead(request.headers['x-who'] === 'nobody' ? 401 : 200).end('hello');
      if (stall) setTimeout(answer, 400);
      else answer();
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    origin = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
    generator = await openGenerator(join(folder, 'generator'));
  });
  afterAll(async () => {
    await generator.stop();
    server.closeAllConnections();
    await new Promise((resolve) => server.close(resolve));
  });
  const load = (name: string, list: Record<string, string>[]): Load => new Load(origin, '/', generator.headers(name, list));

  it('counts the wait of requests that were due while the system stalled', async () => {
    stall = true;
    const block = await generator.run(load('stalled', [{}]), { kind: 'open', rate: 200, seconds: 0.2, warmUpSeconds: 0 }, {});
    stall = false;
    // 40 requests were due and all were sent: waiting for one did not hide another.
    expect(block.answered).toBe(40);
    expect(block.latency.p50).toBeGreaterThanOrEqual(390_000);
  });

  it('continues in the list of sessions where the last block ended', async () => {
    const one = load('list', [{}, {}, {}]);
    const block = await generator.run(one, { kind: 'open', rate: 100, seconds: 0.04, warmUpSeconds: 0 }, {});
    expect(block.answered).toBe(4);
    expect(one.from).toBe(1);
  });

  it('tells refusals from answers, and a benchmark of refusals fails', async () => {
    const block = await generator.run(
      load('nobody', [{ 'x-who': 'nobody' }]),
      { kind: 'closed', connections: 2, seconds: 0.05, warmUpSeconds: 0 },
      {},
    );
    expect(block.answered).toBe(0);
    expect(block.wrong['401']).toBeGreaterThan(0);
    expect(() => checked(block, 'refused')).toThrow(/refused: 0 right answers/);
  });
});

describe('statistics', () => {
  it('give the median and both ends of ratios', () => {
    expect(spread([0.9, 0.5, 0.7, 0.6])).toEqual({ median: 0.6499999999999999, low: 0.5, high: 0.9 });
  });

  it('give each item every place in the order', () => {
    expect([0, 1, 2].map((round) => rotated(['a', 'b', 'c'], round)[0])).toEqual(['a', 'b', 'c']);
  });

  it('sum self time by function and leave idle time out', () => {
    const frame = (functionName: string) => ({ functionName, url: 'file:///x/node_modules/lib/a.js', lineNumber: 4 });
    const nodes = [
      { id: 1, callFrame: frame('work'), hitCount: 3 },
      { id: 2, callFrame: frame('work'), hitCount: 3 },
      { id: 3, callFrame: frame('(idle)'), hitCount: 90 },
      { id: 4, callFrame: frame('rest'), hitCount: 2 },
    ];
    expect(topOf(nodes)[0]).toEqual(['75.0 %', 'work lib/a.js:5']);
  });
});

const latency = { p10: 500, p50: 1_000, p90: 2_000, p99: 3_000, p999: 4_000, max: 5_000 };
const block = (perSecond: number, cpuUs: Record<string, number>): Block => ({
  perSecond,
  answered: perSecond,
  wrong: {},
  latency,
  lateP99: 10,
  bytes: 1,
  next: 0,
  cpuUs,
});

describe('reports', () => {
  it('judge the gateway by its part of the floor within a pair, and by its own cost: what is aimed at, and what must hold', () => {
    const blocks = {
      'floor: cart': [block(1_000, { floor: 200 }), block(2_000, { floor: 200 })],
      'hybrid warm': [block(800, { 'gateway-1': 235 }), block(1_600, { 'gateway-1': 235 })],
    };
    const points = [
      { name: 'floor: cart', floor: undefined, storeRttMs: 0 },
      { name: 'hybrid warm', floor: 'floor: cart', storeRttMs: 0 },
    ];
    const { verdicts } = edgeReport({ points, saturated: blocks, halfLoad: blocks, sameRate: blocks, commonRate: 100 }, machine, 'x');
    expect(verdicts.map(({ met }) => met)).toEqual([false, true, false, true, true, true]);
    expect([verdicts[0]!.measured, verdicts[2]!.measured]).toEqual(['0.80 (0.80 to 0.80)', '35 us (35 us to 35 us)']);
  });

  it('require hybrid to be well ahead of the fastest peer that asks a store, and ahead of each that does not', () => {
    const saturated = { 'Cloakroom hybrid': [block(140, {})], slow: [block(50, {})], fast: [block(125, {})], other: [block(130, {})] };
    const fronts = [
      { name: 'Cloakroom hybrid', asksStore: false, isPeer: false },
      { name: 'slow', asksStore: true, isPeer: true },
      { name: 'fast', asksStore: true, isPeer: true },
      { name: 'other', asksStore: false, isPeer: true },
    ];
    const { verdicts } = peersReport({ fronts, saturated, halfLoad: saturated }, machine, 'x');
    expect(verdicts.map(({ met }) => met)).toEqual([false, true, true]);
    expect(verdicts[0]!.goal).toContain('(fast)');
  });

  it('count every acceptance beyond the bound of its mode', () => {
    const lags = Array.from({ length: 10_000 }, () => 1);
    const measured = (more: number[]) => ({
      trials: [{ mode: 'hybrid' as const, lags: { 'gateway-2': [...lags, ...more] } }],
      cuts: [],
      loadPerSecond: 1,
    });
    expect(revocationReport(measured([]), machine, 'x').verdicts.at(-1)).toMatchObject({ measured: '0 in 10000', met: true });
    expect(revocationReport(measured([2_501]), machine, 'x').verdicts.at(-1)).toMatchObject({ measured: '1 in 10001', met: false });
  });

  it('judge the store by its worst number of sessions', () => {
    const block = (perSecond: number) => ({ perSecond, cpuUs: 1 });
    const pair = (resolved: number) => [{ resolve: block(resolved), get: block(100), getAgain: block(100), first: block(50) }];
    const reads = [1_000, 10_000].flatMap((sessionCount) => [
      { sessionCount, concurrency: 1, pairs: pair(sessionCount === 1_000 ? 80 : 60) },
      { sessionCount, concurrency: 64, pairs: pair(56) },
    ]);
    const { verdicts } = storeReport(
      { commands: { resolve: 'MGET, INFO' }, bytes: { record: 400, all: 801, parts: {} }, reads, bytesOfAll: [] },
      machine,
      'x',
    );
    const [bytes, read, flat] = [
      [false, true, false, false],
      [false, false, false, true],
      [false, true],
    ];
    expect(verdicts.map(({ met }) => met)).toEqual([true, true, ...bytes, ...read, ...flat]);
  });

  it('are written as JSON, Markdown and a picture', async () => {
    const report = edgeReport({ points: [], saturated: {}, halfLoad: {}, sameRate: {}, commonRate: 1 }, machine, 'npm run bench -- edge');
    const dir = join(folder, 'report');
    await writeReport(report, { publish: false, dir });
    expect(readFileSync(join(dir, 'report.md'), 'utf8')).toContain('Measured 2026-01-02');
    expect(JSON.parse(readFileSync(join(dir, 'report.json'), 'utf8'))).toMatchObject({ name: 'edge', machine: { node: process.version } });
    expect(existsSync(join(dir, 'report.svg'))).toBe(true);
  });

  it('are published only when no floor was starved', async () => {
    const docs = join(folder, 'docs');
    const axis = (field: string) => ({ field, title: field, type: 'quantitative' }) as const;
    const report = (starved: string[]): Report => ({
      name: 'x',
      title: 'X',
      machine: { ...machine, loadAfter: 2.5 },
      command: 'c',
      method: [],
      tables: [
        { title: 'One', head: ['a'], rows: [['1']] },
        { title: 'Two', head: ['b'], rows: [['2']] },
      ],
      charts: [{ title: 'A chart', mark: 'bar', values: [{ a: 1, b: 2 }], x: axis('a'), y: axis('b') }],
      data: {},
      verdicts: [],
      starved,
    });
    const written = async (starved: string[], rehearsal: boolean): Promise<string> => {
      rmSync(docs, { recursive: true, force: true });
      mkdirSync(docs, { recursive: true });
      writeFileSync(join(docs, 'performance.md'), '<!-- bench:x -->\n\nold\n\n<!-- /bench:x -->\n');
      await publishTo(docs, report(starved), rehearsal);
      return readFileSync(join(docs, 'performance.md'), 'utf8');
    };
    expect(await written(['the floor waited'], false)).toContain('old');
    expect(await written(['the floor waited'], true)).not.toContain('old');
    const page = await written([], false);
    // There is one page. Beside it are the JSON that it is made of, and pictures.
    expect(readdirSync(join(docs, 'bench'))).toEqual(['x.json', 'x.svg']);
    expect(page).toContain('![A chart](bench/x.svg)');
    // Each table says where it was measured.
    expect(page.match(/<sub>.*; 2026-01-02; load average [\d.]+ before the run and 2\.5 at its end\.<\/sub>/g)).toHaveLength(2);
  });

  it('draw the figures that they are given', async () => {
    const axis = { title: '', type: 'quantitative' } as const;
    const svg = await drawSvg({
      title: 'A title',
      mark: 'bar',
      values: [{ name: 'first bar', value: 1 }],
      x: { field: 'value', ...axis },
      y: { field: 'name', title: '', type: 'nominal' },
    });
    expect(svg).toMatch(/^<svg/);
    expect(svg).toContain('first bar');
  });

  it('say that a missed goal was missed', () => {
    const report = {
      name: 'x',
      title: 'X',
      machine,
      command: 'c',
      method: [],
      tables: [],
      charts: [],
      data: {},
      verdicts: [{ goal: 'fast', measured: 'slow', met: false }],
    };
    expect(markdown(report, 'x')).toContain('| fast | slow | **missed** |');
  });
});

it('make docs/performance.md exactly as it is, from what was published', async () => {
  expect(await performancePage(dirname(performanceDoc))).toBe(readFileSync(performanceDoc, 'utf8'));
  expect(readdirSync(publishedDir).filter((name) => name.endsWith('.md'))).toEqual([]);
});
