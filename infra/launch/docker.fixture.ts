/** A docker that is a shell script. It answers like a client with or without an engine, and records its calls. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface FakeDocker {
  readonly folder: string;
  readonly command: string;
  /** One line per call. */
  calls(): string[];
  remove(): void;
}

/** @param cases of a shell `case "$*"`; a call that matches none succeeds silently */
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
