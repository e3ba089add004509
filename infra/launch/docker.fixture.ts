/** A docker that is a shell script: what a client says with and without an engine, and what it was asked. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeDocker {
  readonly folder: string;
  readonly command: string;
  /** One line a call. */
  calls(): string[];
  remove(): void;
}

/** @param cases of a shell `case "$*"`; what matches none succeeds in silence */
export function fakeDocker(cases: string): FakeDocker {
  const folder = mkdtempSync(join(tmpdir(), 'cloakroom-docker-'));
  const [command, log] = [join(folder, 'docker'), join(folder, 'calls')];
  writeFileSync(log, '');
  writeFileSync(command, `#!/bin/sh\necho "$*" >> ${log}\ncase "$*" in\n${cases}\nesac\n`, { mode: 0o755 });
  return {
    folder,
    command,
    calls: () =>
      readFileSync(log, 'utf8')
        .split('\n')
        .filter((line) => line !== ''),
    remove: () => rmSync(folder, { recursive: true }),
  };
}
