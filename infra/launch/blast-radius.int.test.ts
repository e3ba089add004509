/**
 * Each cell of the Observatory's blast radius is held against the failure matrix, on a real shop. Each fault of which the matrix says something is on
 * meanwhile. A cell must hold in what browsers are told, and in the page's own verdict. The expectations are those of
 * libs/contracts/src/failure-matrix.ts.
 *
 * On a starved machine a process hears of its faults too late, and their lease lapses for a moment. The process logs that. So an answer counts only
 * where the fault was on from the question until the spans of the answer had come. The test asks again where an answer does not count, or is wrong.
 */
import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import {
  failureMatrix,
  type FailureOperation,
  failureOperations,
  failureOutcomeOf,
  failureOutcomes,
  type FailurePart,
  type FaultName,
  type Gone,
} from '@cloakroom/contracts';
import { afterAll, beforeAll, expect, it, vi } from 'vitest';
import { cellsOf, columns, Crowd, isSaid, lieAbout, operationNames, type Word } from './blast-visitor.fixture.ts';
import { startStack, type RunningStack } from './harness.ts';

interface Fault {
  readonly fault: FaultName;
  readonly at?: string;
  /** As good as gone for those who meet the fault. */
  readonly part: FailurePart;
}
const faults: readonly Fault[] = [
  { fault: 'session-store-fails', part: 'redis-sessions' },
  { fault: 'database-fails', part: 'postgres' },
  { fault: 'database-fails', at: 'auth', part: 'auth' },
  { fault: 'database-fails', at: 'profile', part: 'profile' },
  { fault: 'database-fails', at: 'orders', part: 'orders' },
];
const nameOf = ({ fault, at }: Fault): string => [fault, at].filter(Boolean).join(' at ');

const base = 27_600;
/** A cell that is late, as on a busy machine, is asked again. One that is wrong stays wrong. */
const patience = { timeout: 240_000, interval: 500 };
/** The spans of an answer come within a second or two. */
const spansPatience = { timeout: 8_000, interval: 250 };
/** The page looks at the answers of the last 10 s. A starved machine answers fewer of them in time for one look. */
const roundMs = 3_000;
/** The test ends each fault. No patience above is longer. */
const forMs = 600_000;

let dataDir: string;
let stack: RunningStack;
beforeAll(async () => {
  dataDir = await mkdtemp(join(tmpdir(), 'cloakroom-blast-'));
  stack = await startStack({
    provider: 'embedded',
    base,
    dataDir,
    fresh: true,
    telemetry: {},
    observatory: true,
    sessionModes: 'reference,hybrid,jwt',
    limits: { SIGN_IN_LIMIT_PER_MINUTE: '600', REGISTRATION_LIMIT_PER_HOUR: '1000' },
  });
  await stack.process('observatory').waitUntilReplaced(-1);
}, 240_000);
afterAll(async () => {
  await stack?.stop();
  await rm(dataDir, { recursive: true, force: true });
});

async function observatory<Body>(method: string, path: string, body?: object): Promise<Body> {
  const answer = await fetch(stack.observatory!.url + path, {
    method,
    headers: { authorization: `Bearer ${stack.observatory!.pageKey}`, ...(body && { 'content-type': 'application/json' }) },
    ...(body && { body: JSON.stringify(body) }),
  });
  expect([path, answer.status]).toEqual([path, 200]);
  return (await answer.json()) as Body;
}

interface Row {
  readonly title: string;
  readonly request: string;
  readonly promises: readonly string[];
  readonly observed?: unknown;
  readonly agrees?: boolean;
}
interface View {
  readonly gone: readonly { readonly part: string }[];
  readonly unpromised: readonly string[];
  readonly operations: readonly Row[];
}
const look = (trainee: string) => observatory<View>('GET', `/api/blast-radius?mine=${trainee}`);

/** @returns since when the shop's process has had faults on, without a gap; undefined while it has none */
async function faultsOnSinceMs(): Promise<number | undefined> {
  const text = await readFile(join(dataDir, 'logs', 'cloakroom.log'), 'utf8');
  const last = text.split('\n').findLast((line) => line.includes('faults of the Observatory'));
  if (last === undefined) return undefined;
  const { on, time } = JSON.parse(last) as { readonly on: boolean; readonly time: string };
  return on ? Date.parse(time) : undefined;
}

type Scope = 'mine' | 'everybody';

/** Switches the fault on, and holds every cell against the matrix until each was right once. */
async function expectMatrix(fault: Fault, scope: Scope): Promise<void> {
  const trainee = [scope, fault.fault, fault.at ?? 'all'].join('-');
  const crowd = await Crowd.gather(stack.gateways[0], trainee);
  const whose = scope === 'mine' ? { mine: trainee } : { everybody: true };
  const { id } = await observatory<{ id: string }>('PUT', `/api/faults/${fault.fault}`, { ...whose, at: fault.at, forMs });
  try {
    const gone = failureMatrix.find(({ part }) => part === fault.part)!;
    const { gone: shown, unpromised } = await look(trainee);
    expect([shown.map(({ part }) => part), unpromised]).toEqual([[fault.part], []]);
    // An answer close to a change is not judged.
    await vi.waitFor(async () => {
      await crowd.ask('public', 'known');
      expect(rowOf(await look(trainee), 'public')?.agrees).toBeDefined();
    }, patience);
    const left: Left = new Map(operationNames.map((operation) => [operation, new Set([...cellsOf(operation), ...rowOfPage(operation)])]));
    await vi.waitFor(async () => {
      const wrong = await wrongCells({ crowd, trainee, gone, leaseGoesOn: scope === 'mine' }, left);
      expect(wrong, `${nameOf(fault)}, ${scope}`).toEqual([]);
    }, patience);
  } finally {
    crowd.close();
    await observatory('DELETE', `/api/faults/${id}`);
  }
}

interface Held {
  readonly crowd: Crowd;
  readonly trainee: string;
  readonly gone: Gone;
  readonly leaseGoesOn: boolean;
}

type Column = (typeof columns)[number];
/** The cells that have not been right yet, and the page's verdict on all of a row. */
type Left = Map<FailureOperation, Set<Column | 'page'>>;
const rowOfPage = (operation: FailureOperation): readonly 'page'[] => (operation === 'streamOpen' ? [] : ['page']);

/** Asks for what is left. @returns a line for each cell that is not as the matrix has it; what is right is left out the next time */
async function wrongCells(held: Held, left: Left): Promise<readonly string[]> {
  const askedAtMs = Date.now();
  const words: Said[] = [];
  // One operation at a time: a test must not starve the shop that it looks at.
  for (const [operation, cells] of left) if (Date.now() - askedAtMs < roundMs) words.push(...(await askAll(held.crowd, operation, cells)));
  const asked = new Set(words.map(({ operation }) => operation));
  const view = await vi.waitFor(async () => {
    const seen = await look(held.trainee);
    const isMissing = (operation: FailureOperation): boolean =>
      left.get(operation)!.has('page') && rowOf(seen, operation)?.agrees === undefined;
    expect([...asked].filter(isMissing), 'answers whose spans have not come').toEqual([]);
    return seen;
  }, spansPatience);
  const onSinceMs = await faultsOnSinceMs();
  if (onSinceMs === undefined || onSinceMs > askedAtMs) return ['the lease of the fault lapsed meanwhile'];
  const wrong = words.flatMap((one) => judged(left, one.operation, one.column, wordWrong(held, one)));
  for (const operation of asked)
    if (left.get(operation)?.has('page'))
      wrong.push(...judged(left, operation, 'page', rowWrong(held, operation, rowOf(view, operation)!)));
  return [...wrong, ...[...left.keys()].filter((operation) => !asked.has(operation)).map((operation) => `${operation}: not asked yet`)];
}

interface Said {
  readonly operation: FailureOperation;
  readonly column: Column;
  readonly word: Word;
}

function askAll(crowd: Crowd, operation: FailureOperation, cells: ReadonlySet<Column | 'page'>): Promise<Said[]> {
  const own = cellsOf(operation).filter((column) => cells.has(column));
  const wanted = own.length > 0 ? own : cellsOf(operation);
  return Promise.all(wanted.map(async (column) => ({ operation, column, word: await crowd.ask(operation, column) })));
}

function judged(left: Left, operation: FailureOperation, cell: Column | 'page', wrong: readonly string[]): readonly string[] {
  const cells = left.get(operation);
  if (wrong.length === 0) cells?.delete(cell);
  if (cells?.size === 0) left.delete(operation);
  return wrong;
}

/** The page has no row for an open stream, because it makes no span after it began. */
const rowOf = ({ operations }: View, operation: FailureOperation): Row | undefined =>
  operations.find(({ title }) => title === failureOperations[operation].title);

function wordWrong({ gone, leaseGoesOn }: Held, { operation, column, word }: Said): string[] {
  const outcome = failureOutcomeOf(gone, operation, column, leaseGoesOn);
  if (!isSaid(outcome, word)) return [`${operation}, ${column}: ${word} instead of ${outcome}`];
  return isSaid(lieAbout(outcome), word) ? [`${operation}, ${column}: ${word} would be said of ${lieAbout(outcome)} too`] : [];
}

function rowWrong({ gone, leaseGoesOn }: Held, operation: FailureOperation, { promises, agrees }: Row): string[] {
  const told = columns.map((column) => failureOutcomes[failureOutcomeOf(gone, operation, column, leaseGoesOn)].text);
  const wanted = [...new Set(told)].toSorted().join(', ');
  const shown = promises.toSorted().join(', ');
  return [
    ...(shown === wanted ? [] : [`${operation}: the page promises ${shown} instead of ${wanted}`]),
    ...(agrees === true ? [] : [`${operation}: the page says that it does not do what is promised`]),
  ];
}

it('a fault of one person does to that person what the matrix says', { timeout: 600_000 }, async () => {
  await Promise.all(faults.map((fault) => expectMatrix(fault, 'mine')));
});

// One at a time: a fault of everybody's meets the people of the others too.
for (const fault of faults) {
  it(`${nameOf(fault)}, for everybody, does what the matrix says`, { timeout: 600_000 }, async () => {
    // The end of the fault before must have been heard, or its lease would pass for that of this one.
    await vi.waitFor(async () => expect(await faultsOnSinceMs()).toBeUndefined(), patience);
    await expectMatrix(fault, 'everybody');
  });
}
