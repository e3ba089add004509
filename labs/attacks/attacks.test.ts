import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import { attacks } from './catalogue.ts';
import { attackFaults } from '../faults/attack-faults.ts';
import { story } from './proof.ts';

const read = (file: string): string => readFileSync(join(repository, file), 'utf8');

it.each([
  [['attacks', '--help'], /--prove [^]*--fast[^]*--only NAME/],
  [['fuzz', '--help'], /--inputs 5000 --seed 7/],
] as const)('npm run %j explains itself', ([script, ...args], says) => {
  expect(execFileSync('npm', ['run', '--silent', script, '--', ...args], { cwd: repository, encoding: 'utf8' })).toMatch(says);
});

const onNative = new Set(['cross-service', 'broker', 'cache-and-store']);

it('each planted fault names an attack title that exists, on a stack that runs it', () => {
  const wrong = attackFaults.filter(({ noticedBy: { file, title }, provider }) => {
    const text = read(`labs/attacks/${file}${onNative.has(file) ? '.native' : ''}.e2e.ts`);
    // The title of E29 continues with a variable.
    const there = text.includes(title) || title.startsWith('E29 a page at ');
    return !there || (onNative.has(file) && provider !== 'native');
  });
  expect(wrong.map(({ name }) => name)).toEqual([]);
  expect(new Set(attackFaults.map(({ name }) => name)).size).toBe(attackFaults.length);
});

it('a proof says which defence was broken and what the attacker got', () => {
  const said =
    'Error: refused by every service\n\nexpect(received).toBe(expected)\n\nExpected: \u001b[32m401\u001b[39m\nReceived: \u001b[31m200\u001b[39m\n';
  expect(story({ edits: [{ file: 'libs/identity/src/jws.ts', find: 'if (!verified) refuse()', replace: '' }] }, said)).toEqual([
    'broken: libs/identity/src/jws.ts: if (!verified) refuse() is gone',
    'the attacker got: refused by every service | Expected: 401 | Received: 200',
  ]);
});

it('every attack names the tests that try it, or says why none does', () => {
  expect(new Set(attacks.map(({ id }) => id)).size).toBe(attacks.length);
  expect(attacks.filter(({ triedBy, gap }) => triedBy.length === 0 && gap === undefined)).toEqual([]);
});
