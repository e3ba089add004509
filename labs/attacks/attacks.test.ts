import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import { attacks } from './catalogue.ts';
import { attackFaults } from '../faults/attack-faults.ts';
import { story } from './proof.ts';
import { stories } from './stories.ts';

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

const said =
  'Error: refused by every service\n\nexpect(received).toBe(expected)\n\nExpected: \u001b[32m"invalid_passport"\u001b[39m\nReceived: \u001b[31m"ok"\u001b[39m\n';

it('a proof tells what was taken away, what the attacker did, what came back, and what the defence does', () => {
  const fault = attackFaults.find(({ name }) => name === 'alg-none-is-taken')!;
  const told = story(
    { ...fault, edits: [{ file: 'libs/identity/src/jws.ts', find: 'if (!verified) refuse()', replace: '' }] },
    'proven',
    said,
  );
  expect(told.join('\n')).toBe(`
  Taken away   A passport may say that it has no signature: alg none.
               libs/identity/src/jws.ts
               - if (!verified) refuse()

  The attack   The attacker writes alg none into a real passport, in several
               spellings, and leaves the signature out.
               Tried by: B11 alg none ...

  Came back    A service took a passport that nobody signed.
               > refused by every service
               > Expected: "invalid_passport"
               > Received: "ok"

  The defence  The key says its algorithm. The header of a token chooses nothing
               (RFC 8725, 3.1).
`);
  const list = 'Error: twice\n\n- Expected  - 2\n+ Received  + 2\n\n  Array [\n-   400,\n-   "ambiguous_cookies",\n+   200,\n  ]';
  expect(story(fault, 'proven', list).join('\n')).toContain('> Expected: 400, "ambiguous_cookies",\n               > Received: 200,\n');
  expect(story(fault, 'SURVIVED').join(' ')).not.toContain('A service took a passport');
});

it('every proof has a story, whose four parts fit a terminal of 80 columns', () => {
  expect(Object.keys(stories).toSorted()).toEqual(attackFaults.map(({ name }) => name).toSorted());
  for (const fault of attackFaults) {
    const { takenAway, attack, cameBack, defence } = stories[fault.name]!;
    const sentences = [takenAway, attack, cameBack, defence].flatMap((text) => text.split(/(?<=[.:]) /));
    expect(sentences.filter((sentence) => !/[.:]$/.test(sentence) || sentence.split(' ').length > 30)).toEqual([]);
    for (const outcome of ['proven', 'SURVIVED', 'NOT RUN'] as const)
      expect(story(fault, outcome, said).filter((line) => line.length > 80)).toEqual([]);
  }
});

it('every attack names the tests that try it, or says why none does', () => {
  expect(new Set(attacks.map(({ id }) => id)).size).toBe(attacks.length);
  expect(attacks.filter(({ triedBy, gap }) => triedBy.length === 0 && gap === undefined)).toEqual([]);
});
