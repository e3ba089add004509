/**
 * The first file that runs on a fresh clone: plain Node 20, no dependencies. Makes sure of the packages, of Node 24 and of the build, then
 * hands over to cli.ts. With everything in place it costs a few stat calls and stays in this process.
 */
import { spawn, spawnSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import { existsSync, mkdirSync, readFileSync, readdirSync, statSync, writeFileSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const root = join(dirname(fileURLToPath(import.meta.url)), '..');
const nodeMajorMin = 24;
const [command = 'start', ...rest] = process.argv.slice(2);
/** These look or explain: they need packages, not a build. */
const needsNoBuild = new Set(['status', 'doctor', 'help']);
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

/** What is installed is compared with the lock file itself, so that an `npm install` by hand counts as well. */
async function installPackages() {
  const missing = missingPackages();
  if (missing === undefined) return;
  say(`installing packages (${missing})`);
  // Engine warnings are for npm's own Node; the project runs on the one it installs.
  const quiet = ['--no-audit', '--no-fund', '--loglevel=error'];
  // No package runs a script of its own: older npm, as of Node 20, does not know allowScripts.
  const code = await showing('npm', ['ci', '--ignore-scripts', ...quiet], 'installing packages');
  if (code !== 0) fail(`npm ci ended with code ${code}`, 'see what it said above; with the network up, run the same command again');
  const scripts = await runAllowedScripts(quiet);
  if (scripts !== 0) fail(`npm rebuild ended with code ${scripts}`, 'remove node_modules and run the same command again');
  const still = missingPackages();
  if (still !== undefined) fail(`after npm ci: ${still}`, 'remove node_modules and run the same command again');
}

/** Those that package.json allows by name, where they are installed: of the optional ones that is this platform's. @returns the exit code */
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
    // Of optional packages only those of this platform are there.
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

async function build(node) {
  const sources = stampOf(['libs', 'apps'], (path) => !path.startsWith(join('apps', 'web')), [
    'tsconfig.base.json',
    'tsconfig.json',
    'package-lock.json',
  ]);
  const outputs = [
    'libs/identity/dist/index.js',
    'libs/platform/dist/index.js',
    'apps/gateway/dist/main.js',
    'apps/auth/dist/main.js',
    'apps/cart/dist/main.js',
    'apps/profile/dist/main.js',
    'apps/catalog/dist/main.js',
    'apps/orders/dist/main.js',
  ];
  if (stale('build', sources, outputs)) {
    say('building');
    const code = await showing(node, [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-b'], 'building');
    if (code !== 0) fail('the build failed', 'mend what the compiler says above');
    keep('build', sources);
  }
  if (!existsSync(join(root, 'apps', 'web', 'index.html'))) return;
  const page = stampOf([join('apps', 'web')], () => true, ['package-lock.json']);
  if (!stale('web', page, ['apps/web/dist/index.html'])) return;
  say('building the web app');
  const vite = join(root, 'node_modules', 'vite', 'bin', 'vite.js');
  const code = await showing(node, [vite, 'build', '--logLevel', 'warn'], 'building the web app', join(root, 'apps', 'web'));
  if (code !== 0) fail('the web app could not be built', 'mend what Vite says above');
  keep('web', page);
}

const madeFolders = new Set(['node_modules', 'dist', 'reports']);

/** Names, sizes and times of all sources: a few hundred stat calls, a few milliseconds. */
function stampOf(folders, accepts, files) {
  const hash = createHash('sha256');
  const add = (path) => {
    const stat = statSync(join(root, path), { throwIfNoEntry: false });
    hash.update(`${path} ${stat?.size} ${stat?.mtimeMs}\n`);
  };
  const walk = (folder) => {
    for (const entry of readdirSync(join(root, folder), { withFileTypes: true })) {
      const path = join(folder, entry.name);
      if (madeFolders.has(entry.name) || !accepts(path)) continue;
      if (entry.isDirectory()) walk(path);
      else if (!/\.test\.tsx?$/.test(entry.name)) add(path);
    }
  };
  folders.forEach(walk);
  files.forEach(add);
  return hash.digest('hex');
}

const stampFile = (name) => join(root, '.cloakroom', `${name}.stamp`);

function stale(name, stamp, outputs) {
  if (outputs.some((output) => !existsSync(join(root, output)))) return true;
  return !existsSync(stampFile(name)) || readFileSync(stampFile(name), 'utf8') !== stamp;
}

function keep(name, stamp) {
  mkdirSync(join(root, '.cloakroom'), { recursive: true });
  writeFileSync(stampFile(name), stamp);
}

/** Runs a tool with its output shown, and on a log instead of a terminal says now and then that it still runs. */
function showing(program, args, what, cwd = root) {
  const began = Date.now();
  const every = process.stdout.isTTY ? undefined : setInterval(() => say(`${what}, ${Math.round((Date.now() - began) / 1000)} s`), 10_000);
  return run(program, args, { cwd }).finally(() => {
    clearInterval(every);
    if (Date.now() - began > 2_000) say(`${what}: done in ${((Date.now() - began) / 1000).toFixed(0)} s`);
  });
}

/** The rest of the run happens in the child: this process only passes signals on and must not end before it. */
function handOver(node, args) {
  const path = [dirname(node), process.env.PATH].join(delimiter);
  return run(node, args, { cwd: process.cwd(), env: { ...process.env, PATH: path }, detached: true });
}

/**
 * @returns {Promise<number>} the exit code; 1 after a signal
 * Signals are passed on once. A detached child does not get the terminal's own Ctrl-C, so that it hears of it exactly once as well.
 */
function run(program, args, options) {
  return new Promise((resolve) => {
    const child = spawn(program, args, { stdio: 'inherit', ...options });
    const signals = ['SIGINT', 'SIGTERM', 'SIGHUP'];
    let told = false;
    const pass = (signal) => {
      if (told) return;
      told = true;
      child.kill(signal);
    };
    for (const signal of signals) process.on(signal, pass);
    const parent = process.ppid;
    // npm killed by SIGKILL, or without passing the signal on.
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
    child.once('exit', (code) => finish(code ?? 1));
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
  // `npm run status | ...` stays clean.
  process.stderr.write(`${text}\n`);
}

function fail(what, remedy) {
  process.stderr.write(`${what}. Remedy: ${remedy}\n`);
  process.exit(1);
}

await main();
