/** infra/kafka/start-in-container.sh, run by a real bash over folders of this machine. Kafka is replaced by a script. */
import { execFileSync, spawn } from 'node:child_process';
import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, expect, it, vi } from 'vitest';

let root: string;
let log: string;
const place = (path: string) => join(root, path);
const said = () => (existsSync(place('calls')) ? readFileSync(place('calls'), 'utf8').trim().split('\n') : []);

/** The part of `format` that the test needs: it notes the id, and accepts any. */
const formats = `id=; while [ $# -gt 0 ]; do [ "$1" = -t ] && id=$2; shift; done
mkdir -p "$LOG" && printf '#\\nversion=1\\ncluster.id=%s\\n' "$id" > "$LOG/meta.properties"`;

beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'cloakroom-kafka-'));
  log = place('data/log');
  for (const folder of ['bin', 'data', 'etc', 'tmp']) mkdirSync(place(folder));
  writeFileSync(place('etc/server.properties'), readFileSync(join(import.meta.dirname, 'server.properties')));
  program('kafka-storage.sh', formats);
  program('kafka-server-start.sh', 'exit 0');
});
afterEach(() => rmSync(root, { recursive: true }));

function program(name: string, script: string) {
  writeFileSync(place(`bin/${name}`), `#!/bin/bash\necho "${name} $*" >> ${place('calls')}\n${script}\n`, { mode: 0o755 });
}

/** The script with the container's folders moved below `root`. */
function script(): string {
  const moved = { '/opt/kafka/bin': 'bin', '/var/lib/kafka/data': 'data', '/etc/cloakroom': 'etc', '/tmp': 'tmp' };
  const text = readFileSync(join(import.meta.dirname, 'start-in-container.sh'), 'utf8').replaceAll(
    new RegExp(`(${Object.keys(moved).join('|')})(?=/|$)`, 'gm'),
    (folder) => place(moved[folder as keyof typeof moved]),
  );
  const file = place('start.sh');
  writeFileSync(file, text);
  return file;
}

const env = () => ({ ...process.env, ADVERTISED_HOST: 'kafka', BROKER_PORT: '4230', CONTROLLER_PORT: '4231', LOG: log });
const start = () => execFileSync('bash', [script()], { env: env(), encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
const clusterId = () => /^cluster\.id=(.*)$/m.exec(readFileSync(join(log, 'meta.properties'), 'utf8'))?.[1];

it('Kafka gets the configuration of native, with its own listeners', () => {
  start();
  const filled = readFileSync(place('tmp/server.properties'), 'utf8');
  expect(filled).not.toMatch(/\$\{/);
  expect(filled).toMatch(/^listeners=PLAINTEXT:\/\/0\.0\.0\.0:4230,CONTROLLER:\/\/127\.0\.0\.1:4231$/m);
  expect(filled).toMatch(/^advertised\.listeners=PLAINTEXT:\/\/kafka:4230$/m);
  expect(filled).toContain(`log.dirs=${log}\n`);
});

it('an empty volume is formatted with an id of 22 letters, and never again', () => {
  start();
  const first = clusterId();
  expect(first).toMatch(/^c[A-Za-z0-9_-]{21}$/);
  start();
  expect(clusterId()).toBe(first);
  expect(said().filter((call) => call.startsWith('kafka-storage.sh'))).toHaveLength(1);
});

it('a failed first start does no harm: the next one formats', () => {
  program('kafka-storage.sh', 'echo "Error occurred during initialization of VM"; exit 1');
  expect(start).toThrow();
  program('kafka-storage.sh', formats);
  start();
  expect(clusterId()).toMatch(/^c[A-Za-z0-9_-]{21}$/);
});

it('a volume whose id is the error message of an earlier version is repaired', () => {
  mkdirSync(join(log, '__cluster_metadata-0'), { recursive: true });
  writeFileSync(join(log, 'meta.properties'), 'version=1\ncluster.id=Error occurred during initialization of VM\n');
  writeFileSync(place('data/cluster-id'), 'Error occurred during initialization of VM\nMultiple garbage collectors selected\n');
  start();
  expect(clusterId()).toMatch(/^c[A-Za-z0-9_-]{21}$/);
  expect(existsSync(place('data/cluster-id'))).toBe(false);
});

it('a log that holds a partition is never formatted, whatever its id', () => {
  mkdirSync(join(log, 'cart.events-7'), { recursive: true });
  writeFileSync(join(log, 'meta.properties'), 'version=1\ncluster.id=an odd one\n');
  start();
  expect(clusterId()).toBe('an odd one');
  expect(existsSync(join(log, 'cart.events-7'))).toBe(true);
});

it('an orderly stop ends with 0, a broker that fails with its own code', async () => {
  program('kafka-server-start.sh', `trap 'exit 143' TERM; touch ${place('up')}; while :; do read -t 1 < <(:) || :; done`);
  const child = spawn('bash', [script()], { env: env(), stdio: 'ignore' });
  const code = new Promise((resolve) => child.once('exit', resolve));
  await vi.waitFor(() => expect(existsSync(place('up'))).toBe(true), { timeout: 10_000 });
  child.kill('SIGTERM');
  expect(await code).toBe(0);
  program('kafka-server-start.sh', 'exit 143');
  expect(start).toThrow(expect.objectContaining({ status: 143 }));
  program('kafka-server-start.sh', 'exit 3');
  expect(start).toThrow(expect.objectContaining({ status: 3 }));
});
