/**
 * Packages of the Debian release that the engine and the images come from, whatever release this machine runs. They come from the machine's
 * own mirror: apt says where it fetches Debian from, and only the name of the release is replaced.
 */
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { run } from '../native/debian.ts';
import type { Found, Say } from '../native/debian.ts';

/** Debian 13 is the first with a Docker (26) that supports a health check's `start_interval`, which needs 25. */
export const release = 'trixie';

const keyring = '/usr/share/keyrings/debian-archive-keyring.gpg';
/** Some 100 MB over a slow line, with an upper limit. */
const fetchTimeoutMs = 300_000;

/** Fields of a package source in apt: its origin, its label, its address. */
const targets = ['indextargets', '--format', '$(ORIGIN) $(LABEL) $(REPO_URI)', 'Created-By: Packages'];

/** @param listed the answer to `targets`. @returns the mirror of Debian itself, not the one of its security updates */
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
 * Fetches packages and unpacks them into `into`, without installing anything.
 * @param own packages that must come from this machine's release, because they are linked to its libc
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
  // apt fetches as a separate user, which may have no access to our folders.
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
