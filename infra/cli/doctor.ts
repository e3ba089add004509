import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { findChromium } from './chromium.ts';
import { findDocker } from '../launch/docker.ts';
import { repository, toolsDir } from '../stack/folders.ts';
import { findOnPath, installCommand } from '../native/debian.ts';
import { findJava } from '../native/java.ts';
import { mirrorIsHere } from '../native/mirror.ts';
import { findPostgres } from '../native/postgres.ts';
import { findRedis } from '../native/redis.ts';

const isPageBuilt = (): boolean => existsSync(join(repository, 'apps', 'observatory', 'web', 'dist', 'index.html'));

/** `npm run doctor`: lists what this machine has and lacks. For each missing part it says its use, and the command that installs it. */
export async function doctor(print: (line: string) => void): Promise<number> {
  const [java, postgres, docker] = [findJava(), findPostgres(), await findDocker()];
  const lacks = (what: string, command: string) => `missing (${what}); mend it: ${command}`;
  const rows: [string, string][] = [
    ['Node', `${process.version} (${process.execPath})`],
    ['Redis', findRedis(toolsDir) ?? lacks('native needs it', installCommand({ apt: 'redis-tools', brew: 'redis' }))],
    ['Java', java.ok ? `${java.value.version} (${java.value.command})` : lacks(`native needs it: ${java.why}`, java.remedy)],
    ['Maven', findOnPath('mvn') ?? lacks('fetches Kafka for native', installCommand({ apt: 'maven', brew: 'maven' }))],
    [
      'MirrorMaker',
      mirrorIsHere(toolsDir) ? 'its jars are here' : 'not here yet: the first --profile regions fetches it (40 MB, with Maven)',
    ],
    [
      'PostgreSQL',
      postgres.ok ? postgres.value.bin : lacks(`--database postgres and --profile cluster need it: ${postgres.why}`, postgres.remedy),
    ],
    ['Docker', docker.ok ? 'an engine answers' : `none (--infra docker needs it): ${docker.why}`],
    ['Observatory', isPageBuilt() ? 'its page is built' : 'its page is not built yet: npm start builds it'],
    ['Chromium', findChromium() ?? lacks('the browser tests need it', installCommand({ apt: 'chromium', brew: '--cask chromium' }))],
  ];
  for (const [what, answer] of rows) print(`${what.padEnd(12)}${answer}`);
  print('\nnpm start takes native when Redis, Java and Maven are there (as root on Debian it installs Redis itself), else embedded.');
  print('npm start -- --profile cluster needs native and PostgreSQL, and 2 GB of memory.');
  print('npm start -- --profile regions needs native, MirrorMaker, and 3.2 GB of memory.');
  return 0;
}
