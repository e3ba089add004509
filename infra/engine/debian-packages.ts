/**
 * Packages of the Debian release that the engine and the images come from, on whatever release this machine runs. The mirror is the machine's
 * own: apt is asked where it fetches Debian from, and only the name of the release is another.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../native/debian.ts';
import type { Found, Say } from '../native/debian.ts';

/** Debian 13: the first whose Docker (26) knows a health check's `start_interval`, which needs 25. */
export const release = 'trixie';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Some 100 MB on a slow line, yet an end. */
const fetchTimeoutMs = 300_000;

/** What apt calls a source of packages: its origin, its label, where it lies. */
const targets = ['indextargets', '--format', '$(ORIGIN) $(LABEL) $(REPO_URI)', 'Created-By: Packages'];

/** @param listed the answer to `targets`. @returns the mirror of Debian itself, not that of its security updates */
export function mirrorAmong(listed: string): string | undefined {
  return listed
    .split('\n')
    .map((line) => /^Debian Debian (\S+)$/.exec(line.trim())?.[1])
    .find((uri) => uri !== undefined);
}

export function findMirror(): Found<string> {
  const mirror = mirrorAmong(execFileSync('apt-get', targets, { encoding: 'utf8' }));
  if (mirror !== undefined) return { ok: true, value: mirror };
  return {
    ok: false,
    why: 'apt knows no mirror of Debian, which the engine and the images come from',
    remedy: 'apt-get update, on Debian; elsewhere start a Docker engine of your own',
  };
}

/** A line of a sources.list. */
export const sourceOf = (mirror: string): string => `deb [signed-by=${keyring}] ${mirror} ${release} main`;

/**
 * Fetches and unpacks into `into`, installing nothing.
 * @param own of this machine's release: they are linked to its libc
 * @returns undefined when it went well, else one line saying why not
 */
export async function unpackPackages(
  { names, own, mirror, into }: { readonly names: readonly string[]; readonly own: readonly string[]; mirror: string; into: string },
  say: Say,
): Promise<string | undefined> {
  const apt = join(into, 'apt');
  const files = join(apt, 'files');
  for (const folder of [files, join(apt, 'state', 'lists', 'partial'), join(apt, 'cache', 'archives', 'partial')])
    mkdirSync(folder, { recursive: true });
  writeFileSync(join(apt, 'sources.list'), `${sourceOf(mirror)}\n`);
  writeFileSync(join(apt, 'status'), '');
  const settings = {
    'Dir::Etc::SourceList': join(apt, 'sources.list'),
    'Dir::Etc::SourceParts': '/dev/null',
    'Dir::State': join(apt, 'state'),
    'Dir::State::Status': join(apt, 'status'),
    'Dir::Cache': join(apt, 'cache'),
    'Acquire::Languages': 'none',
  };
  writeFileSync(
    join(apt, 'apt.conf'),
    Object.entries(settings)
      .map(([name, value]) => `${name} "${value}";\n`)
      .join(''),
  );
  const elsewhere = { APT_CONFIG: join(apt, 'apt.conf') };
  // apt fetches as a user of its own, which may not be let into our folders.
  const fetch = (args: readonly string[], env: Readonly<Record<string, string>> = {}) =>
    run('sh', ['-c', 'cd "$0" && exec apt-get -q -o APT::Sandbox::User=root "$@"', files, ...args], { timeoutMs: fetchTimeoutMs, env });
  say(`fetching ${names.join(' ')} of Debian ${release} (about 100 MB, once)`);
  const failure =
    (await fetch(['update'], elsewhere)) ?? (await fetch(['download', ...names], elsewhere)) ?? (await fetch(['download', ...own]));
  if (failure !== undefined) return failure;
  for (const file of readdirSync(files)) {
    const unpacked = await run('dpkg-deb', ['--extract', join(files, file), into], { timeoutMs: fetchTimeoutMs });
    if (unpacked !== undefined) return unpacked;
  }
  rmSync(apt, { recursive: true });
  return undefined;
}
