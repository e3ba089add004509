/**
 * The first file that runs on a fresh clone: plain Node 20, no dependencies. It makes sure of the packages, of Node 24 and of the build,
 * and then starts cli.ts. With everything in place nx needs under a second to say so, and the rest stays in this process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const nodeMajorMin = 24;
const [command = 'start', ...rest] = process.argv.slice(2);
/** These commands look or explain: they need packages, not a build. */
const needsNoBuild = new Set(['status', 'doctor', 'help']);
/** These commands talk to a running shop, which was built when it started. */
const actsOnRunningShop = new Set(['call', 'load', 'cart', 'admin', 'keys', 'certificates', 'revoke-everything', 'ocean']);
const asksForHelp = rest.includes('--help') || rest.includes('-h');

async function main() {
  await installPackages();
  const node = findNode();
  if (!needsNoBuild.has(command) && !asksForHelp) await build(node);
  if (node === process.execPath) {
    process.argv = [process.argv[0], join(root, 'infra', 'cli.ts'), command, ...rest];
    await import(pathToFileURL(join(root, 'infra', 'cli.ts')).href);
  } else {
    process.exitCode = await handOver(node, [join(root, 'infra', 'cli.ts'), command, ...rest]);
  }
}

/** The installed packages are compared with the lock file itself, so that an `npm install` by hand counts as well. */
async function installPackages() {
  const missing = missingPackages();
  if (missing === undefined) return;
  say(`installing packages (${missing})`);
  // Engine warnings are about npm's own Node; the project runs on the Node that it installs.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // No package runs its own script here: older npm, as of Node 20, does not know allowScripts.
  const code = await showing('npm', ['ci', '--ignore-scripts', ...quiet], 'installing packages');
  if (code !== 0) fail(`npm ci ended with code ${code}`, 'see what it said above; with the network up, run the same command again');
  const scripts = await runAllowedScripts(quiet);
  if (scripts !== 0) fail(`npm rebuild ended with code ${scripts}`, 'remove node_modules and run the same command again');
  const still = missingPackages();
  if (still !== undefined) fail(`after npm ci: ${still}`, 'remove node_modules and run the same command again');
}

/**
 * Runs the scripts of packages that package.json allows by name, if they are installed. Of optional packages only
 * this platform's is. @returns the exit code
 */
async function runAllowedScripts(quiet) {
  const allowed = Object.entries(readJson('package.json')?.allowScripts ?? {}).filter(([, yes]) => yes === true);
  const present = allowed.map(([name]) => name).filter((name) => existsSync(join(root, 'node_modules', name)));
  if (present.length === 0) return 0;
  return showing('npm', ['rebuild', '--ignore-scripts=false', ...quiet, ...present], 'running the allowed install scripts');
}

/** @returns why an install is needed, or undefined */
function missingPackages() {
  const wanted = readJson('package-lock.json')?.packages;
  if (wanted === undefined) fail('package-lock.json is missing', 'git checkout package-lock.json');
  const present = readJson(join('node_modules', '.package-lock.json'))?.packages;
  if (present === undefined) return 'none are there';
  for (const [path, entry] of Object.entries(wanted)) {
    // Only the optional packages of this platform are installed.
    if (!path.startsWith('node_modules/') || entry.optional || entry.devOptional || entry.peer) continue;
    if (entry.link) {
      if (!existsSync(join(root, path))) return `${path.slice('node_modules/'.length)} is missing`;
    } else if (present[path]?.version !== entry.version) return `${path.slice('node_modules/'.length)} is not at ${entry.version}`;
  }
  return undefined;
}

/** Node 24: this one, the npm package's, or the machine's. */
function findNode() {
  if (Number(process.versions.node.split('.')[0]) >= nodeMajorMin) return process.execPath;
  // On Apple silicon the npm package lacks some versions.
  const packaged = join(root, 'node_modules', 'node', 'bin', 'node');
  const onPath = (process.env.PATH ?? '').split(delimiter).map((folder) => join(folder, 'node'));
  const candidates = process.platform === 'darwin' && process.arch === 'arm64' ? [...onPath, packaged] : [packaged, ...onPath];
  const seen = [];
  for (const candidate of candidates) {
    if (!existsSync(candidate)) continue;
    const version = spawnSync(candidate, ['--version'], { encoding: 'utf8', timeout: 15_000 }).stdout?.trim() ?? '';
    if (Number(/^v(\d+)\./.exec(version)?.[1]) >= nodeMajorMin) return candidate;
    seen.push(`${candidate} is ${version || 'no program of this machine'}`);
  }
  fail(
    `Node ${nodeMajorMin} or newer is needed (this is ${process.version}; ${seen.join('; ')})`,
    'npm rebuild node --foreground-scripts, or install Node 24 from nodejs.org',
  );
}

/**
 * nx builds the projects that its cache lacks, and takes the rest out of its cache. It removes a project's dist before it fills it again.
 * So while a shop runs, the compiler updates the services in place, and nx builds only the pages.
 */
async function build(node) {
  // Set inside of `npm test`, which has built before.
  if (process.env.CLOAKROOM_BUILT === '1') return;
  if (actsOnRunningShop.has(command) && existsSync(join(root, 'apps', 'gateway', 'dist', 'main.js'))) return;
  const nx = join(root, 'node_modules', 'nx', 'dist', 'bin', 'nx.js');
  const quietly = '--outputStyle=static-failures-only';
  const inPlace = shopRuns();
  // `npm test` then knows that a dist may hold the output of a deleted source.
  if (inPlace) process.env.CLOAKROOM_BUILT_IN_PLACE = '1';
  const steps = inPlace
    ? [
        [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'],
        [nx, 'run', '@cloakroom/web:build', quietly],
        [nx, 'run', '@cloakroom/observatory:page', quietly],
      ]
    : [[nx, 'run-many', '-t', 'build', quietly]];
  // Programs that the tools start find this Node first. No part of nx stays behind as a process.
  const path = [dirname(node), process.env.PATH].join(delimiter);
  const env = { ...process.env, PATH: path, NX_DAEMON: 'false', NX_TUI: 'false', NX_ISOLATE_PLUGINS: 'false' };
  for (const step of steps) {
    const { code, output } = await unseen(node, step, 'building', env);
    if (code === 0) continue;
    process.stderr.write(output);
    fail('the build failed', 'mend what is said above');
  }
}

/** Tells whether a supervisor that left its notes in .cloakroom is alive. A foreign process with its id only causes a build in place. */
function shopRuns() {
  const folder = join(root, '.cloakroom');
  const names = existsSync(folder) ? readdirSync(folder) : [];
  return names.some((name) => {
    const pid = readJson(join('.cloakroom', name, 'state.json'))?.supervisor?.pid;
    try {
      return Number.isInteger(pid) && process.kill(pid, 0);
    } catch {
      return false;
    }
  });
}

/** A build that takes longer than this has missed nx's cache, and a person wants to know the reason for the wait. */
const silenceMaxMs = 2_500;

/** Runs a tool without showing its output. The output is read only after a failure. */
async function unseen(program, args, what, env) {
  const began = Date.now();
  let output = '';
  const first = setTimeout(() => say(what), silenceMaxMs);
  const every = setInterval(() => say(`${what}, ${Math.round((Date.now() - began) / 1000)} s`), 10_000);
  const code = await run(program, args, { cwd: root, env, stdio: ['ignore', 'pipe', 'pipe'] }, (text) => (output += text));
  clearTimeout(first);
  clearInterval(every);
  if (Date.now() - began > silenceMaxMs) say(`${what}: done in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  return { code, output };
}

/** Runs a tool and shows its output. On a log instead of a terminal it sometimes says that the tool still runs. */
function showing(program, args, what) {
  const began = Date.now();
  const every = process.stdout.isTTY ? undefined : setInterval(() => say(`${what}, ${Math.round((Date.now() - began) / 1000)} s`), 10_000);
  return run(program, args, { cwd: root }).finally(() => {
    clearInterval(every);
    if (Date.now() - began > 2_000) say(`${what}: done in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  });
}

/** The rest of the run happens in the child. This process only passes signals on, and must not end before the child. */
function handOver(node, args) {
  const path = [dirname(node), process.env.PATH].join(delimiter);
  return run(node, args, { cwd: process.cwd(), env: { ...process.env, PATH: path }, detached: true });
}

/**
 * @returns {Promise<number>} the exit code; 1 after a signal
 * Signals are passed on once. A detached child does not get the terminal's own Ctrl-C, so it also hears of it exactly once.
 */
function run(program, args, options, onOutput = () => undefined) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    for (const stream of [child.stdout, child.stderr]) stream?.setEncoding('utf8').on('data', onOutput);
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    let told = false;
    const pass = (signal) => {
      if (told) return;
      told = true;
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const parent = process.ppid;
    // npm was killed by SIGKILL, or ended without passing the signal on.
    const watch = setInterval(() => process.ppid !== parent && pass('SIGTERM'), 500);
    const finish = (code) => {
      clearInterval(watch);
      for (const signal of signals) process.off(signal, pass);
      resolve(code);
    };
    child.once('error', (error) => {
      process.stderr.write(`${program}: ${error.message}\n`);
      finish(127);
    });
    child.once('close', (code) => finish(code ?? 1));
  });
}

function readJson(path) {
  try {
    return JSON.parse(readFileSync(join(root, path), 'utf8'));
  } catch {
    return undefined;
  }
}

function say(text) {
  // It goes to stderr, so that `npm run status | ...` stays clean.
  process.stderr.write(`${text}\n`);
}

function fail(what, remedy) {
  process.stderr.write(`${what}. Remedy: ${remedy}\n`);
  process.exit(1);
}

await main();
