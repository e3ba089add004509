/** Kafka's own MirrorMaker 2, one process a region. It reads the other region's Kafka across the ocean and writes its own. */
import { existsSync, mkdirSync, readdirSync, readFileSync, writeFileSync } from 'node:fs';
import { delimiter, join } from 'node:path';
import { mirroredTopics } from '../ocean/mirrored-topics.ts';
import type { MirrorPlace } from '../stack/stack.ts';
import type { LaunchSpec } from '../supervisor/child.ts';
import { run } from './debian.ts';
import type { Found, Say } from './debian.ts';
import { jarFolder, obtainJars } from './jars.ts';
import { findJava } from './java.ts';
import { kafkaFolder } from './kafka.ts';

const folder = join(kafkaFolder, 'mirror');
const transform = join(folder, 'OriginHeaders.java');
/** Below the folder of the jars. */
const classFolder = 'classes';
/** One small class. */
const compileTimeoutMs = 60_000;

/** The jars are made of these. */
const made = { name: 'mirror', pom: join(folder, 'pom.xml'), sources: [transform] };

export const mirrorIsHere = (toolsDir: string): boolean => existsSync(jarFolder(toolsDir, made));

export interface Mirror {
  readonly java: string;
  readonly jars: string;
}

/** Java and the jars with our one class, kept in `toolsDir` until one of their sources changes. */
export async function obtainMirror(toolsDir: string, say: Say): Promise<Found<Mirror>> {
  const java = findJava();
  if (!java.ok) return java;
  const jars = await obtainJars(
    toolsDir,
    {
      ...made,
      what: 'Kafka MirrorMaker',
      megabytes: 40,
      isWhole: (into) => jarsIn(into).some((jar) => jar.startsWith('connect-mirror-')),
      finish: (into) => compileTransform(java.value.command, into),
    },
    say,
  );
  return jars.ok ? { ok: true, value: { java: java.value.command, jars: jars.value } } : jars;
}

const jarsIn = (into: string): string[] => readdirSync(into).filter((file) => file.endsWith('.jar'));

/** @returns undefined when it went well, else one line saying why not */
async function compileTransform(java: string, jars: string): Promise<string | undefined> {
  const classes = join(jars, classFolder);
  const services = join(classes, 'META-INF', 'services');
  mkdirSync(services, { recursive: true });
  // Kafka Connect finds its plugins by this file.
  writeFileSync(join(services, 'org.apache.kafka.connect.transforms.Transformation'), 'cloakroom.OriginHeaders\n');
  // The compiler takes no star in its own list of jars.
  const path = jarsIn(jars).map((jar) => join(jars, jar));
  const compiler = ['-cp', join(jars, '*'), 'org.eclipse.jdt.internal.compiler.batch.Main', '-17', '-proc:none'];
  const failure = await run(java, [...compiler, '-cp', path.join(delimiter), '-d', classes, transform], { timeoutMs: compileTimeoutMs });
  return failure === undefined && !existsSync(join(classes, 'cloakroom', 'OriginHeaders.class')) ? 'the compiler made no class' : failure;
}

/** Small: it holds a few batches. 97 to 110 MB were seen. */
const heap = ['-Xms32m', '-Xmx128m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xss512k', '-XX:+ExitOnOutOfMemoryError'];

export interface MirrorProcess {
  readonly name: string;
  readonly dir: string;
  readonly logFile: string;
  readonly mirror: MirrorPlace;
}

/** Writes the configuration. */
export function mirrorLaunch({ java, jars }: Mirror, { name, dir, logFile, mirror }: MirrorProcess): LaunchSpec {
  mkdirSync(dir, { recursive: true, mode: 0o700 });
  const properties = join(dir, 'mirror.properties');
  writeFileSync(properties, mirrorProperties(mirror));
  const args = [
    ...heap,
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(kafkaFolder, 'log4j2.properties')}`,
    '-cp',
    [join(jars, '*'), join(jars, classFolder)].join(delimiter),
    'org.apache.kafka.connect.mirror.MirrorMaker',
    properties,
    '--clusters',
    mirror.here,
  ];
  return { name, command: java, args, cwd: dir, logFile };
}

export function mirrorProperties(mirror: MirrorPlace): string {
  // It takes patterns, and Java's properties take a backslash for two.
  const topics = mirroredTopics.map(({ name }) => name.replaceAll('.', String.raw`\\.`)).join(',');
  const values: Readonly<Record<string, string>> = { ...mirror, topics };
  return readFileSync(join(folder, 'mirror.properties'), 'utf8').replace(/\$\{(\w+)\}/g, (whole, key: string) => values[key] ?? whole);
}
