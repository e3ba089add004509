import { readFileSync, readdirSync, rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { openRecorder, readHistory } from '@cloakroom/testing';
import type { Anomaly, History, Verdict } from '@cloakroom/testing';
import { afterAll, beforeAll, expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import { readChaosOutput } from '../../infra/testing/reports.ts';
import { untried } from './command.ts';
import type { Hit } from './nemesis.ts';
import { properties } from './properties.ts';
import { describeOutcome, writeOutcome } from './report.ts';
import { timelineOf, type TraceEvent } from './timeline.ts';

let folder = '';
beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'cloakroom-chaos-'));
});
afterAll(() => rmSync(folder, { recursive: true }));

/** Two devices, two faults, and an operation without an answer. */
function fixture(): History {
  let ms = 1_000_000;
  const recorder = openRecorder(() => (ms += 250));
  const call = (client: string, kind: 'add' | 'read' | 'checkout', input = {}) =>
    recorder.invoke({ client, person: 'p1', kind, gateway: 'http://localhost:9800', input });
  call('d1', 'add', { productId: 'cap', quantity: 2, commandId: 'd1.1' })({ outcome: 'ok', output: { token: 'local:3:1' } });
  const over = recorder.fault('kill', 'cart');
  call('d2', 'add', { productId: 'hat', quantity: 1, commandId: 'd2.1' });
  call('d1', 'read')({ outcome: 'failed', error: 'unavailable' });
  over();
  recorder.fault('pause', 'kafka')();
  call('d1', 'checkout')({ outcome: 'unknown', error: 'time-out' });
  call('d1', 'read', { final: true })({ outcome: 'ok', output: { lines: [], dots: [] } });
  return recorder.history(7, ms);
}

const lost: Anomaly = { kind: 'lost', message: 'add 2 of cap (d1.1) was acknowledged, and is not there', operations: [0, 4] };
const verdictOf = (...anomalies: Anomaly[]): Verdict => ({
  ok: anomalies.length === 0,
  anomalies,
  visibleMs: { count: 3, unseen: 1, p50: 5, p99: 9, max: 11 },
  repeats: { 'lost-answer': 1, 'other-gateway': 2, 'sign-in': 3, 'sign-in-taken': 0, 'sign-out': 0, 'other-person': 0 },
  counts: { 'add ok': 1 },
});
const rerun = 'npm run chaos -- --minutes 1 --seed 7 --profile native';
const hit: Hit = {
  planned: { name: 'kill', target: 'cart', startMs: 0, forMs: 500, dial: 0.5 },
  label: 'kill',
  end: 'doubtful',
  why: 'cart answers',
  unhealed: false,
};
const outcome = (...anomalies: Anomaly[]) => ({
  history: fixture(),
  verdict: verdictOf(...anomalies),
  hits: [hit],
  leftOut: [],
  rerun,
  interrupted: false,
});

type Slice = Extract<TraceEvent, { ph: 'X' }>;
const isSlice = (event: TraceEvent): event is Slice => event.ph === 'X';

it('draws a slice for each operation and each fault, and marks the operations of an anomaly', () => {
  const { traceEvents, otherData } = timelineOf({ history: fixture(), verdict: verdictOf(lost), rerun, notes: ['doubtful: kill cart'] });
  const named = traceEvents.filter((event) => event.ph === 'M');
  const track = (event: TraceEvent) =>
    named.find(({ name, pid, tid }) => name === 'thread_name' && pid === event.pid && tid === event.tid)?.args.name;
  const slices = traceEvents.filter(isSlice).map((event) => [track(event), event.name]);
  expect(slices).toEqual([
    ['anomalies', '1. lost #0'],
    ['anomalies', '1. lost #4'],
    ['faults', 'kill cart'],
    ['faults', 'pause kafka'],
    ['d1', 'add'],
    ['d1', 'read refused'],
    ['d1', 'checkout unknown'],
    ['d1', 'read'],
    ['d2', 'add unknown'],
  ]);
  expect(traceEvents.filter(isSlice).find(({ name }) => name === 'read refused')?.args).toMatchObject({ id: 2, error: 'unavailable' });
  expect(otherData).toMatchObject({ rerun, notes: ['doubtful: kill cart'] });
});

it('gives slices that overlap a track each, and lets an unanswered call reach to the end', () => {
  const history = fixture();
  const unanswered = { ...history.operations[1]!, id: 9, client: 'd1' };
  const { traceEvents } = timelineOf({
    history: { ...history, operations: [...history.operations, unanswered] },
    verdict: verdictOf(),
    rerun,
    notes: [],
  });
  const slices = traceEvents.filter(isSlice);
  const tracks = Map.groupBy(slices, ({ pid, tid }) => `${pid} ${tid}`);
  for (const track of tracks.values())
    for (const [index, { ts }] of track.entries())
      expect(ts).toBeGreaterThanOrEqual(index === 0 ? 0 : track[index - 1]!.ts + track[index - 1]!.dur);
  const end = Math.max(...slices.map(({ ts, dur }) => ts + dur));
  expect(slices.filter(({ name }) => name === 'add unknown').map(({ ts, dur }) => ts + dur)).toEqual([end, end]);
});

it('writes a history that can be read and judged again, and a verdict with the faults', async () => {
  const files = await writeOutcome(folder, outcome(lost));
  expect(await readHistory(files.history)).toEqual(fixture());
  const written = JSON.parse(readFileSync(files.verdict, 'utf8')) as Record<string, unknown>;
  expect(written).toMatchObject({ seed: 7, ok: false, rerun, anomalies: [lost], faults: [{ label: 'kill', end: 'doubtful' }] });
});

it('says each property held or broken, what was in doubt, and what to type to have it again', async () => {
  const files = await writeOutcome(folder, outcome(lost));
  const lines = describeOutcome(outcome(lost), files);
  const text = lines.join('\n');
  expect(text).toMatch(/^BROKEN {2}lost /m);
  expect(text).toContain('doubtful: kill cart: cart answers');
  expect(text).toContain(rerun);
  expect(lines.at(-1)).toBe('1 ANOMALIES in 5 operations, seed 7.');
  expect(readChaosOutput(text)).toMatchObject({ passed: Object.keys(properties).length - 1, failed: 1, skipped: 0 });
  const well = describeOutcome(outcome(), files).join('\n');
  expect(readChaosOutput(well)).toMatchObject({ passed: Object.keys(properties).length, failed: 0, skipped: 0 });
});

it('calls a refusal a refusal, and says how often commands were repeated', async () => {
  const files = await writeOutcome(folder, outcome());
  const text = describeOutcome(outcome(), files).join('\n');
  expect(text).toMatch(/^ *operation +ok +refused +unknown$/m);
  expect(text).toMatch(/^ *read +1 +1 +0$/m);
  expect(text).toMatch(/^repeated +3 times by the user whom the guest that sent it has become$/m);
  for (const said of [text, readFileSync(files.timeline, 'utf8')]) expect(said).not.toMatch(/\bfailed\b/);
});

it('does not pass where clients repeated nothing across a sign-in', () => {
  const { repeats } = verdictOf();
  expect(untried({ repeats }, 2).map(({ message }) => message)).toEqual([
    'no command was repeated by such a user, where the guest had been told, or shown, that it was taken',
    'no command was repeated by the same person, after a sign-out',
  ]);
  expect(untried({ repeats: { ...repeats, 'sign-in-taken': 1, 'sign-out': 1 } }, 2)).toEqual([]);
});

it('knows every kind of anomaly that the checker can find', () => {
  const sources = join(repository, 'libs', 'testing', 'src', 'history');
  const kinds = readdirSync(sources)
    .filter((name) => /^history\.\w+\.ts$/.test(name))
    .flatMap((name) => [...readFileSync(join(sources, name), 'utf8').matchAll(/\bkind: [^,]*'([a-z-]+)',/g)].map(([, kind]) => kind!));
  expect(kinds.length).toBeGreaterThan(5);
  expect(kinds.filter((kind) => !(kind in properties))).toEqual([]);
});
