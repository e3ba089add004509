/** The programs that run an engine. Its own ones come from Debian's packages, unpacked and never installed; a few come from the machine. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { aptInstall, findOnPath, mayInstall } from '../native/debian.ts';
import type { Found, Say } from '../native/debian.ts';
import { findMirror, release, unpackPackages } from './debian-packages.ts';

const packages = ['docker.io', 'docker-cli', 'docker-buildx', 'docker-compose', 'containerd'];
/** These are linked to the libc of the release that they run on. */
const ownPackages = ['runc', 'tini'];
/** Programs of the machine that the engine, its network and the images need, each with its package. */
const programs = { slirp4netns: 'slirp4netns', iptables: 'iptables', mmdebstrap: 'mmdebstrap', ip: 'iproute2', mvn: 'maven' };

/** @returns why this machine cannot have an engine out of packages, or undefined */
export function lacksEngine(): { readonly why: string; readonly remedy: string } | undefined {
  const remedy = 'run as root on Debian, or start a Docker engine of your own (docker info must answer)';
  if (process.platform !== 'linux') return { why: 'no Docker engine answers, and only Linux can make one out of packages', remedy };
  if (process.getuid?.() !== 0) return { why: 'no Docker engine answers, and only root can make one', remedy };
  return undefined;
}

/** Fetches the engine's programs once. @returns the folder with the unpacked programs */
export async function obtainPrograms(toolsDir: string, say: Say): Promise<Found<string>> {
  const missing = Object.entries(programs).flatMap(([program, name]) => (findOnPath(program) === undefined ? [name] : []));
  if (missing.length > 0) {
    const why = mayInstall() ? await aptInstall(missing, say) : 'nothing may be installed here';
    if (why !== undefined)
      return { ok: false, why: `${missing.join(', ')} missing: ${why}`, remedy: `apt-get install ${missing.join(' ')}` };
  }
  const what = JSON.stringify([release, packages, ownPackages, process.arch]);
  const folder = join(toolsDir, `engine-${createHash('sha256').update(what).digest('hex').slice(0, 12)}`);
  if (existsSync(folder)) return { ok: true, value: folder };
  const mirror = findMirror();
  if (!mirror.ok) return mirror;
  const unfinished = `${folder}.unfinished-${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const failure = await unpackPackages({ names: packages, own: ownPackages, mirror: mirror.value, into: unfinished }, say);
  if (failure !== undefined) {
    rmSync(unfinished, { recursive: true, force: true });
    return { ok: false, why: `the engine could not be fetched: ${failure}`, remedy: 'try again with the network up' };
  }
  // The client looks for its plugins below its own configuration folder, not below the person's.
  mkdirSync(join(unfinished, 'config'));
  symlinkSync(join('..', 'usr', 'libexec', 'docker', 'cli-plugins'), join(unfinished, 'config', 'cli-plugins'));
  renameSync(unfinished, folder);
  return { ok: true, value: folder };
}
