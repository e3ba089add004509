/** Java programs come as jars that Maven copies: once, into a folder whose name says what it was made of. */
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { findOnPath, installCommand, run } from './debian.ts';
import type { Found, Say } from './debian.ts';

/** 45 MB over a slow line, with an upper limit. After it the start uses another provider. */
const fetchTimeoutMs = 600_000;
/** Maven prints each file that it begins. A repository that cannot be reached is silent. */
const fetchSilenceMs = 45_000;

export interface JarOrder {
  /** Begins the name of the folder. */
  readonly name: string;
  /** The words for a person: Apache Kafka. */
  readonly what: string;
  readonly megabytes: number;
  readonly pom: string;
  /** Further files that the folder is made of. */
  readonly sources?: readonly string[];
  /** Whether Maven brought the program itself. */
  readonly isWhole: (folder: string) => boolean;
  /** Completes the folder. @returns undefined when it went well, else one line saying why not */
  readonly finish?: (folder: string) => Promise<string | undefined>;
}

/** @returns the folder, fetched once and kept in `toolsDir` until the pom or a source changes */
export async function obtainJars(toolsDir: string, order: JarOrder, say: Say): Promise<Found<string>> {
  const { what, pom, megabytes, isWhole, finish } = order;
  const folder = jarFolder(toolsDir, order);
  if (existsSync(folder)) return { ok: true, value: folder };
  const remedy = installCommand({ apt: 'maven', brew: 'maven' });
  if (findOnPath('mvn') === undefined) return { ok: false, why: `Maven is missing (it fetches ${what})`, remedy };
  say(`fetching ${what} with Maven (about ${megabytes} MB, once)`);
  const unfinished = `${folder}.unfinished-${process.pid}`;
  mkdirSync(unfinished, { recursive: true });
  const fetched = await fetchJars({ pom, into: unfinished, what, say });
  const missing = fetched === undefined && !isWhole(unfinished) ? `it is not among the jars` : fetched;
  const failure = missing ?? (await finish?.(unfinished));
  if (failure === undefined && !existsSync(folder)) renameSync(unfinished, folder);
  rmSync(unfinished, { recursive: true, force: true });
  if (failure === undefined) return { ok: true, value: folder };
  return {
    ok: false,
    why: `${what} could not be fetched: ${failure}`,
    remedy: 'try again with the network up, or correct Maven’s settings.xml',
  };
}

/** The folder that these jars are kept in, once they are there. */
export const jarFolder = (toolsDir: string, { name, pom, sources = [] }: Pick<JarOrder, 'name' | 'pom' | 'sources'>): string =>
  join(toolsDir, `${name}-${hashOf([pom, ...sources])}`);

function hashOf(files: readonly string[]): string {
  const hash = createHash('sha256');
  for (const file of files) hash.update(readFileSync(file));
  return hash.digest('hex').slice(0, 12);
}

export interface JarFetch {
  readonly pom: string;
  readonly into: string;
  readonly what: string;
  readonly say: Say;
}

/** Runs Maven, which must be installed. @returns undefined when it went well, else one line saying why not */
export function fetchJars({ pom, into, what, say }: JarFetch): Promise<string | undefined> {
  return run('mvn', mavenArguments(pom, into), {
    timeoutMs: fetchTimeoutMs,
    silenceMs: fetchSilenceMs,
    onLine: (line) => {
      const file = /Download(?:ing|ed) from \S+: \S*\/(\S+\.jar)/.exec(line)?.[1];
      if (file !== undefined) say(`fetching ${what}: ${file}`);
    },
  });
}

function mavenArguments(pom: string, outputDirectory: string): string[] {
  return [
    '-B',
    '-f',
    pom,
    // Fail soon when the repository does not answer.
    '-Daether.connector.connectTimeout=10000',
    '-Dmaven.wagon.http.retryHandler.count=1',
    '-DincludeScope=runtime',
    `-DoutputDirectory=${outputDirectory}`,
    // The full name is used, because resolving a prefix fetches many more files.
    'org.apache.maven.plugins:maven-dependency-plugin:3.8.1:copy-dependencies',
  ];
}
