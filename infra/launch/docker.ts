/** Finds out whether this machine can run containers. A client alone is not enough: an engine has to answer. */
import { findOnPath, run } from '../native/debian.ts';
import type { Found } from '../native/debian.ts';

/** An engine on this machine answers in milliseconds. A remote or a hanging one must not delay a start that has other choices. */
const answerTimeoutMs = 3_000;

/** The first version that knows `start_interval`. An older one refuses infra/compose.yaml. */
export const engineMajorMin = 25;

export interface Docker {
  readonly command: string;
}

export async function findDocker(): Promise<Found<Docker>> {
  const command = findOnPath('docker');
  if (command === undefined)
    return {
      ok: false,
      why: 'no docker on this machine',
      remedy: 'install Docker Engine with its compose plugin, or choose --infra embedded',
    };
  let version = '';
  const engine = await run(command, ['info', '--format', '{{.ServerVersion}}'], {
    timeoutMs: answerTimeoutMs,
    onLine: (line) => (version = line.trim()),
  });
  if (engine !== undefined)
    return {
      ok: false,
      why: `no Docker engine answers (${engine})`,
      remedy: 'start the engine (docker info must answer), or choose --infra embedded',
    };
  if (Number(version.split('.')[0]) < engineMajorMin)
    return {
      ok: false,
      why: `Docker Engine ${version} is too old (a health check that begins quickly needs ${engineMajorMin})`,
      remedy: `update to Docker Engine ${engineMajorMin} or newer, or choose --infra embedded`,
    };
  const compose = await run(command, ['compose', 'version'], { timeoutMs: answerTimeoutMs });
  if (compose !== undefined)
    return {
      ok: false,
      why: `docker has no compose (${compose})`,
      remedy: 'install the compose plugin (docker compose version must answer)',
    };
  return { ok: true, value: { command } };
}
