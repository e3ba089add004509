/** The labs over HTTP, with programs that are played: what the page is told before and after the prediction, and one run at a time. */
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createLogger, type Running, systemClock } from '@cloakroom/platform';
import { afterAll, afterEach, beforeAll, beforeEach, expect, it, vi } from 'vitest';
import type { LabRunAnswer, LabRunView } from '../api.ts';
import { readConfig, start } from '../start.ts';

const pageKey = 'p'.repeat(43);
const spanKey = 's'.repeat(43);
const asPage = { authorization: `Bearer ${pageKey}` };
const patience = { timeout: 20_000, interval: 20 };

/** Says what it was asked; takes no answer z. */
const tell = `
const [what, name, answer] = process.argv.slice(2);
if (answer === 'z') {
  console.error('one of a, b is asked for, not z');
  process.exit(2);
}
if (name === 'broken') throw new Error('no such file');
const secrets = Object.values(process.env).filter((value) => /p{43}|s{43}/.test(value));
console.log(JSON.stringify(what === 'list' ? [{ name: 'sticky' }] : { what, name, answer, secrets, kept: process.env.LABS_KEPT_DIR }));
`;
const progress = (part: number, text: string): string => `console.log('${JSON.stringify({ kind: 'progress', lab: '', text, part })}');`;
const command = `
const [name, ...rest] = process.argv.slice(2);
import { appendFileSync } from 'node:fs';
if (name === 'slow') {
  // A test that fails leaves it behind, for so long at most.
  const wait = setTimeout(() => undefined, 60_000);
  process.on('SIGTERM', () => {
    clearTimeout(wait);
    appendFileSync(process.env.JOURNAL, 'told to end\\n');
    console.error('Stopping (SIGTERM)...\\nError: interrupted');
    process.exitCode = 1;
  });
}
appendFileSync(process.env.JOURNAL, [name, ...rest].join(' ') + '\\n');
console.log('a line for people');
${progress(0.5, 'round 2 of 4')}
if (name === 'needy') {
  console.error('Error: there is no Redis. Remedy: apt install redis\\n    at start (stack.ts:1)');
  process.exitCode = 1;
} else if (rest.some((word) => word.startsWith('--answer'))) {
  console.log(JSON.stringify({ kind: 'exercise', lab: name, outcome: { right: false, said: 'You said 5', why: 'So.' } }));
  process.exitCode = 1;
}
`;

const noSupervisor = { send: () => undefined, onMessage: () => undefined };

let dir: string;
let journal: string;
let running: Running;

beforeAll(() => {
  dir = mkdtempSync(join(tmpdir(), 'cloakroom-labs-'));
  journal = join(dir, 'journal');
  for (const name of ['course', 'sticky', 'needy', 'slow', 'broken']) mkdirSync(join(dir, 'labs', name), { recursive: true });
  for (const name of ['sticky', 'needy', 'slow', 'broken']) writeFileSync(join(dir, 'labs', name, 'lab.ts'), '');
  writeFileSync(join(dir, 'labs', 'course', 'tell.ts'), tell);
  writeFileSync(join(dir, 'labs', 'course', 'command.ts'), command);
  writeFileSync(join(dir, 'package.json'), '{ "type": "module" }');
});
afterAll(() => rmSync(dir, { recursive: true, force: true }));
beforeEach(() => open({ LABS_DIR: join(dir, 'labs') }));
afterEach(() => running.stop());

async function open(env: Record<string, string>): Promise<void> {
  writeFileSync(journal, '');
  const config = readConfig({
    LISTEN_PORT: '0',
    OBSERVATORY_PAGE_KEY: pageKey,
    OBSERVATORY_SPAN_KEY: spanKey,
    JOURNAL: journal,
    NODE_ENV: 'production',
    LABS_KEPT_DIR: '/kept',
    ...env,
  });
  running = await start(config, { log: createLogger('test', 'silent'), clock: systemClock }, noSupervisor);
}

const ask = (method: string, path: string, body?: unknown) =>
  fetch(`${running.url}${path}`, {
    method,
    headers: { ...asPage, ...(body !== undefined && { 'content-type': 'application/json' }) },
    ...(body !== undefined && { body: JSON.stringify(body) }),
  });
const read = async <Body>(method: string, path: string, body?: unknown): Promise<Body> =>
  (await (await ask(method, path, body)).json()) as Body;
const refusal = async (answer: Response) => {
  const { code, detail } = (await answer.json()) as { code: string; detail: string };
  return [answer.status, code, detail];
};
const look = async () => (await read<LabRunAnswer>('GET', '/api/lab-run')).run;
const ended = () =>
  vi.waitFor(async () => {
    const run = await look();
    expect(run?.endedAtMs).toBeDefined();
    return run!;
  }, patience);

it('the list, a lab, its findings and a prediction are those that the labs’ own program tells', async () => {
  expect(await read('GET', '/api/labs')).toEqual({ labs: [{ name: 'sticky' }] });
  expect(await read('GET', '/api/labs/sticky')).toMatchObject({ what: 'lab', name: 'sticky' });
  expect(await read('GET', '/api/labs/sticky/findings')).toMatchObject({ what: 'findings', name: 'sticky' });
  expect(await read('PUT', '/api/labs/sticky/prediction', { answer: 'b' })).toMatchObject({ what: 'predict', answer: 'b', kept: '/kept' });
});

it('a lab is told none of the Observatory’s keys', async () => {
  expect(await read('GET', '/api/labs/sticky')).toMatchObject({ secrets: [] });
});

it('an answer that the prediction does not take is refused in the lab’s own words', async () => {
  expect(await refusal(await ask('PUT', '/api/labs/sticky/prediction', { answer: 'z' }))).toEqual([
    400,
    'invalid_request',
    'one of a, b is asked for, not z',
  ]);
  expect((await refusal(await ask('GET', '/api/labs/broken'))).slice(0, 2)).toEqual([503, 'labs_unreadable']);
});

it('a name that is no lab starts no program', async () => {
  for (const name of ['none', '..%2Fcourse', '--publish', 'course', 'all'])
    expect([name, (await ask('GET', `/api/labs/${name}`)).status]).toEqual([name, 404]);
  expect((await ask('POST', '/api/lab-run', { lab: 'all', quick: true })).status).toBe(404);
  expect((await ask('POST', '/api/lab-run', { lab: 'sticky', quick: true, publish: true })).status).toBe(400);
  expect(readFileSync(journal, 'utf8')).toBe('');
  expect(await look()).toBeUndefined();
});

it('outside of a development checkout there are no labs, and the answers say so', async () => {
  await running.stop();
  await open({});
  expect(await read('GET', '/api/labs')).toEqual({});
  const [status, , detail] = await refusal(await ask('POST', '/api/lab-run', { lab: 'sticky', quick: true }));
  expect([status, detail]).toEqual([404, 'The labs are part of a development checkout, and this is none.']);
});

it('a run tells how far it is and that it is done; in a terminal it would be the same command', async () => {
  expect(await read<LabRunView>('POST', '/api/lab-run', { lab: 'sticky', quick: true })).toMatchObject({ state: 'running', lab: 'sticky' });
  expect(await ended()).toMatchObject({ state: 'done', part: 1, says: ['round 2 of 4'], isExercise: false });
  await read('POST', '/api/lab-run', { lab: 'sticky', quick: false });
  await ended();
  expect(readFileSync(journal, 'utf8')).toBe('sticky --json --quick\nsticky --json\n');
});

it('one lab runs at a time; a stop ends it, and then another may run', async () => {
  await ask('POST', '/api/lab-run', { lab: 'slow', quick: true });
  await vi.waitFor(async () => expect((await look())?.part).toBe(0.5), patience);
  expect(await refusal(await ask('POST', '/api/lab-run', { lab: 'sticky', quick: true }))).toEqual([
    409,
    'cannot_act',
    'slow runs already. Stop it, or wait for its end.',
  ]);
  expect(await read('DELETE', '/api/lab-run')).toMatchObject({ state: 'stopping' });
  const stopped = await ended();
  expect([stopped.state, stopped.why]).toEqual(['stopped', undefined]);
  expect((await ask('DELETE', '/api/lab-run')).status).toBe(409);
  expect((await ask('POST', '/api/lab-run', { lab: 'sticky', quick: true })).status).toBe(200);
  expect(await ended()).toMatchObject({ lab: 'sticky', state: 'done' });
});

it('a lab that cannot run now says why, with the remedy and without places in the code', async () => {
  await ask('POST', '/api/lab-run', { lab: 'needy', quick: true });
  expect(await ended()).toMatchObject({ state: 'failed', why: 'there is no Redis. Remedy: apt install redis' });
});

it('an exercise that was not understood is an outcome, not a failure', async () => {
  await ask('POST', '/api/lab-run', { lab: 'sticky', quick: true, answer: -5 });
  expect(await ended()).toMatchObject({ state: 'done', isExercise: true, exercise: { right: false, said: 'You said 5', why: 'So.' } });
  expect(readFileSync(journal, 'utf8')).toBe('sticky --json --quick --exercise --answer=-5\n');
});

it('an Observatory that ends asks the lab to end', async () => {
  await ask('POST', '/api/lab-run', { lab: 'slow', quick: true });
  await vi.waitFor(async () => expect((await look())?.part).toBe(0.5), patience);
  await running.stop();
  await vi.waitFor(() => expect(readFileSync(journal, 'utf8')).toContain('told to end'), patience);
});
