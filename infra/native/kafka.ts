/**
 * Real Apache Kafka, from Maven's jars, without a container. Each broker is a KRaft broker and its own controller, alone or one of several.
 */
import { randomBytes } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { LaunchSpec } from '../supervisor/child.ts';
import { run } from './debian.ts';
import type { Found, Say } from './debian.ts';
import { obtainJars } from './jars.ts';
import { findJava } from './java.ts';
import type { AmongBrokers, WanListener } from '../stack/stack.ts';

export const kafkaFolder = join(import.meta.dirname, '..', 'kafka');
export const pomFile = join(kafkaFolder, 'pom.xml');

/** Formatting an empty folder takes a JVM a second or two. */
const formatTimeoutMs = 180_000;

export interface Kafka {
  readonly java: string;
  readonly jars: string;
}

/** Java and the jars, fetched once and kept in `toolsDir` until the pom changes. */
export async function obtainKafka(toolsDir: string, say: Say): Promise<Found<Kafka>> {
  const java = findJava();
  if (!java.ok) return java;
  const isWhole = (folder: string): boolean => kafkaVersion(folder) !== undefined;
  const jars = await obtainJars(toolsDir, { name: 'kafka', what: 'Apache Kafka', megabytes: 45, pom: pomFile, isWhole }, say);
  return jars.ok ? { ok: true, value: { java: java.value.command, jars: jars.value } } : jars;
}

export function kafkaVersion(jars: string): string | undefined {
  return readdirSync(jars)
    .map((file) => /^kafka_2\.13-([\d.]+)\.jar$/.exec(file)?.[1])
    .find((version) => version !== undefined);
}

export interface KafkaPlace {
  readonly name: string;
  readonly port: number;
  readonly controllerPort: number;
  readonly dir: string;
  readonly logFile: string;
  readonly among?: AmongBrokers | undefined;
  readonly wan?: WanListener | undefined;
}

const heap = ['-Xms64m', '-Xmx256m', '-XX:+UseSerialGC', '-XX:TieredStopAtLevel=1', '-Xss512k', '-XX:+ExitOnOutOfMemoryError'];

/** Writes the configuration, and formats the folder when it is new. @returns how to start it, or why that is impossible */
export async function kafkaLaunch(kafka: Kafka, place: KafkaPlace): Promise<Found<LaunchSpec>> {
  mkdirSync(place.dir, { recursive: true, mode: 0o700 });
  const logDirs = join(place.dir, 'log');
  const properties = join(place.dir, 'server.properties');
  const values: Record<string, string> = {
    listenHost: '127.0.0.1',
    advertisedHost: '127.0.0.1',
    controllerPort: String(place.controllerPort),
    brokerPort: String(place.port),
    logDirs: logDirs.replaceAll('\\', '\\\\'),
    nodeId: String(place.among?.nodeId ?? 1),
    wanPort: String(place.wan?.port),
    wanAdvertisedPort: String(place.wan?.advertisedPort),
    voters: (place.among?.controllerPorts ?? []).map((port, index) => `${index + 1}@127.0.0.1:${port}`).join(','),
  };
  const template = templateOf(place);
  writeFileSync(
    properties,
    template.replace(/\$\{(\w+)\}/g, (whole, name: string) => values[name] ?? whole),
  );
  const java = (main: string, ...args: string[]) => [
    ...heap,
    '-Djava.awt.headless=true',
    `-Dlog4j2.configurationFile=${join(kafkaFolder, 'log4j2.properties')}`,
    '-cp',
    join(kafka.jars, '*'),
    main,
    ...args,
  ];
  if (!existsSync(join(logDirs, 'meta.properties'))) {
    // An interrupted format leaves a folder that can neither be formatted nor started.
    rmSync(logDirs, { recursive: true, force: true });
    const alone = place.among === undefined ? ['--standalone'] : [];
    const failure = await run(kafka.java, java('kafka.tools.StorageTool', 'format', ...alone, '-t', clusterIdOf(place), '-c', properties), {
      timeoutMs: formatTimeoutMs,
    });
    if (failure !== undefined)
      return { ok: false, why: `Kafka's folder could not be formatted: ${failure}`, remedy: `remove ${place.dir} and start again` };
  }
  return {
    ok: true,
    value: { name: place.name, command: kafka.java, args: java('kafka.Kafka', properties), cwd: place.dir, logFile: place.logFile },
  };
}

function templateOf({ among, wan }: KafkaPlace): string {
  const read = (name: string) => readFileSync(join(kafkaFolder, name), 'utf8');
  if (wan !== undefined) return `${read('server.properties')}\n${read('region.properties')}`;
  if (among === undefined) return read('server.properties');
  // Java takes the last value of a repeated key. The key that names a single quorum must go: it may not stand beside fixed voters.
  return `${read('server.properties').replace(/^controller\.quorum\.bootstrap\.servers=.*\n/m, '')}\n${read('cluster.properties')}`;
}

/** All brokers of a cluster are formatted with one id. The first to ask makes it; one process starts all of them. */
function clusterIdOf({ among }: KafkaPlace): string {
  // An id that begins with a dash would look like an option, as one in 64 random ids does.
  const made = `c${randomBytes(16).toString('base64url').slice(1)}`;
  if (among === undefined) return made;
  if (!existsSync(among.clusterIdFile)) writeFileSync(among.clusterIdFile, made, { mode: 0o600 });
  return readFileSync(among.clusterIdFile, 'utf8');
}
