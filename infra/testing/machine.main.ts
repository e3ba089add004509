/** Prints what suites take from this machine: programs with their versions, and settings. nx takes it as an input of each suite. */
import { spawnSync } from 'node:child_process';
import { arch, release } from 'node:os';
import { basename } from 'node:path';
import { findChromium } from '../cli/chromium.ts';
import { findOnPath } from '../native/debian.ts';
import { findJava } from '../native/java.ts';
import { findRedis } from '../native/redis.ts';
import { toolsDir } from '../stack/folders.ts';

const answerTimeoutMs = 60_000;
/** Seeds, modes, levels of logs, and what Node, Java and Docker are told. */
const settings = /^(?:CLOAKROOM_|SESSION_|OTEL_|JAVA_|MAVEN_|DOCKER_|TEST_|NODE_OPTIONS$|CHROMIUM_PATH$|LOG_LEVEL$|TZ$)/;
/** Variables that `npm test` sets for its own commands. */
const own = new Set(['CLOAKROOM_BUILT', 'CLOAKROOM_BUILT_IN_PLACE', 'CLOAKROOM_INTEGRATION']);

function say(program: string | undefined, ...args: string[]): void {
  if (program === undefined) return;
  const { stdout, stderr } = spawnSync(program, args, { encoding: 'utf8', timeout: answerTimeoutMs });
  // The path is left out, as it may lie in this clone. Another clone on this machine has the same program.
  console.log(basename(program), `${stdout}${stderr}`.trim());
}

console.log(process.version, arch(), release());
const java = findJava();
say(findChromium(), '--version');
say(findRedis(toolsDir), '--version');
say(java.ok ? java.value.command : undefined, '-version');
say(findOnPath('docker'), 'version', '--format', '{{.Server.Version}}');
for (const name of Object.keys(process.env).toSorted()) if (settings.test(name) && !own.has(name)) console.log(name, process.env[name]);
