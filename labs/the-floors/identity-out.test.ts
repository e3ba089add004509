import { execFileSync } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { repository } from '../../infra/stack/folders.ts';
import * as real from '../../apps/gateway/src/identity/identify-caller.ts';

it('nothing outside of this lab names the gateway without identity, so nothing that ships can load it', () => {
  const named = execFileSync('git', ['grep', '-l', '--untracked', 'identity-out', '--', 'apps', 'libs', 'infra', 'e2e', 'labs', 'tools'], {
    cwd: repository,
    encoding: 'utf8',
  });
  expect(
    named
      .trim()
      .split('\n')
      .filter((path) => !path.startsWith('labs/the-floors/')),
  ).toEqual([]);
});

it('the stub has every name of the module that it stands for', () => {
  const stub = readFileSync(join(import.meta.dirname, 'identity-out.stub.ts'), 'utf8');
  const missing = Object.keys(real).filter((name) => !new RegExp(`^export .*\\b${name}\\b`, 'm').test(stub));
  expect(missing).toEqual([]);
});
