import { spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { findOnPath, installCommand } from './debian.ts';
import type { Found } from './debian.ts';

/** Kafka 4 requires it (KIP-1013). */
const javaVersionMin = 17;
/** It says its version within a second. A machine that is busy elsewhere was seen to take more than 15. */
const answerTimeoutMs = 60_000;

export interface Java {
  readonly command: string;
  readonly version: number;
}

export function findJava(): Found<Java> {
  const home = process.env['JAVA_HOME'];
  const remedy = installCommand({ apt: 'openjdk-17-jre-headless maven', brew: 'openjdk maven' });
  const command = (home === undefined || home === '' ? undefined : executable(join(home, 'bin', 'java'))) ?? findOnPath('java');
  if (command === undefined) return { ok: false, why: `Java is missing (Kafka needs ${javaVersionMin} or newer)`, remedy };
  const answer = spawnSync(command, ['-version'], { encoding: 'utf8', timeout: answerTimeoutMs });
  if (answer.error !== undefined)
    return {
      ok: false,
      why: `${command} -version did not answer (${answer.error.message})`,
      remedy: 'Try again when the machine is less busy',
    };
  // On a Mac without Java, /usr/bin/java exists and only says where to get one.
  const version = Number(/version "(?:1\.)?(\d+)/.exec(`${answer.stderr ?? ''}${answer.stdout ?? ''}`)?.[1] ?? 0);
  if (version >= javaVersionMin) return { ok: true, value: { command, version } };
  return { ok: false, why: version === 0 ? 'Java is missing' : `Java ${version} is too old: Kafka needs ${javaVersionMin}`, remedy };
}

function executable(path: string): string | undefined {
  return spawnSync(path, ['-version'], { timeout: answerTimeoutMs }).status === 0 ? path : undefined;
}
