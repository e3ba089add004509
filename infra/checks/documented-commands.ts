/** Every command that a document tells a person to type, and the test that runs it. A command without one is a promise nobody keeps. */
import type { Tree, Violation } from './tree.ts';

interface Named {
  /** As documented, arguments that vary left out: a document's command must begin with it. */
  readonly command: string;
}
export interface ProvenCommand extends Named {
  /** A file of a suite that runs it, or runs what it runs: printing its help is not running it ... */
  readonly provenBy: string;
  /** ... and words of that file that show it. */
  readonly showing: string;
}
/** No suite runs it. */
export interface CommandByHand extends Named {
  /** Why not, and what of it is tested all the same. */
  readonly byHand: string;
}
export type DocumentedCommand = ProvenCommand | CommandByHand;

const noCluster = 'no cluster here: deploy-doc.test.ts holds it to what it names, docs/deploy.md says when it was run';

export const documentedCommands: readonly DocumentedCommand[] = [
  { command: 'npm start -- --infra', provenBy: 'e2e/containers/containers.ts', showing: "['start', '--', '--infra', 'docker'" },
  { command: 'npm start -- --profile cluster', byHand: 'the suite e2e-cluster runs the same drawing, without npm' },
  { command: 'npm start -- --profile regions', byHand: 'the suite e2e-regions runs the same drawing, without npm' },
  { command: 'npm run ocean', provenBy: 'infra/ocean/ocean-process.test.ts', showing: "ocean('cut', 'eu-us')" },
  { command: 'npm start -- --fresh', provenBy: 'e2e/containers/shop-in-containers.containers.e2e.ts', showing: "npmStart('--fresh')" },
  { command: 'npm start -- --watch', provenBy: 'infra/watch/edit-loop.int.test.ts', showing: "'--watch', 'gateway'" },
  { command: 'npm start -- --help', provenBy: 'infra/cli.test.ts', showing: "['start', '--help']" },
  { command: 'npm start', provenBy: 'e2e/containers/containers.ts', showing: "spawn('npm', ['start'" },
  { command: 'npm test -- --quick', provenBy: 'infra/testing/test.quick.test.ts', showing: 'choose({ quick: true })' },
  { command: 'npm test -- --affected', provenBy: 'infra/testing/test.quick.test.ts', showing: 'choose({ affected: true })' },
  { command: 'npx nx affected -t test', provenBy: 'infra/checks/nx-build.test.ts', showing: "nx('affected', '-t', 'test'" },
  { command: 'npx nx run-many -t build', provenBy: 'infra/checks/nx-build.test.ts', showing: "nx('run-many', '-t', 'build'" },
  { command: 'npx nx graph', byHand: 'it opens a browser; npm run check reads the same graph as a file' },
  { command: 'npm test', provenBy: '.ci/run', showing: 'npm test' },
  { command: 'npm run help', provenBy: 'infra/cli.test.ts', showing: "['help']" },
  { command: 'npm run check -- --accept-contracts', byHand: 'it writes the baseline that CI compares with' },
  { command: 'npm run check', provenBy: 'infra/testing/test.suites.ts', showing: "listen('check'" },
  { command: 'npm run e2e', provenBy: 'infra/testing/test.suites.ts', showing: "runTool('e2e'" },
  { command: 'npm run mutants', byHand: 'it runs test files anew for each planted fault, which is more time than CI has' },
  { command: 'npm run prove', byHand: 'labs/prove/cart.property.test.ts holds the same laws to fewer histories' },
  { command: 'npm run bench -- start', byHand: 'it times whole starts, and a machine that also runs tests would measure those' },
  { command: 'npm run bench -- passports', provenBy: 'labs/bench/sessions/passports.test.ts', showing: 'benchPassports(2' },
  { command: 'npm run bench -- fault-points', provenBy: 'labs/bench/observatory/fault-points.test.ts', showing: 'benchFaultPoints(2' },
  { command: 'npm run bench -- telemetry', provenBy: 'labs/bench/telemetry/telemetry.test.ts', showing: 'benchTelemetry(1' },
  { command: 'npm run bench -- publish', provenBy: 'labs/bench/publish.test.ts', showing: 'publishAll({' },
  { command: 'npm run bench -- edge-distance', provenBy: 'labs/bench/bench.int.test.ts', showing: 'distanceReport(' },
  { command: 'npm run bench -- edge', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchEdge({' },
  { command: 'npm run bench -- peers', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchPeers({' },
  { command: 'npm run bench -- revocation', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchRevocation({' },
  { command: 'npm run bench -- regions', provenBy: 'labs/bench/regions/regions.regions.e2e.ts', showing: 'measureRegions(' },
  { command: 'npm run bench -- feed', provenBy: 'labs/bench/sessions/feed.test.ts', showing: 'benchFeed(1' },
  { command: 'npm run bench -- login-storm', provenBy: 'labs/bench/sessions/login-storm.test.ts', showing: 'benchLoginStorm({' },
  { command: 'npm run bench -- store', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchStore({' },
  { command: 'npm run bench -- observatory', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchObservatory({' },
  { command: 'npm run bench -- memory', byHand: 'it measures a minute of use, and judges nothing' },
  { command: 'npm run bench -- young-generation', byHand: 'it starts six whole shops, and judges nothing' },
  { command: 'npm run bench -- cart', provenBy: 'labs/bench/bench.int.test.ts', showing: 'benchCart({' },
  { command: 'npm run bench -- --help', provenBy: 'infra/cli.test.ts', showing: "['bench', '--help']" },
  { command: 'npm run lab -- sticky --set', provenBy: 'labs/sticky/sticky.test.ts', showing: 'dials: {' },
  { command: 'npm run lab -- sticky', provenBy: 'labs/sticky/sticky.test.ts', showing: 'runLab(' },
  { command: 'npm run lab -- all', provenBy: 'infra/testing/test.suites.ts', showing: "listen('lab', ['all', '--quick']" },
  { command: 'npm run lab', provenBy: 'infra/testing/test.suites.ts', showing: "listen('lab', ['all', '--quick']" },
  { command: 'npm run lab -- wrong-carts --stay', provenBy: 'labs/wrong-carts/stay.test.ts', showing: "'wrong-carts', '--stay', 'lww'" },
  { command: 'npm run lab -- a-billion --stay', provenBy: 'labs/a-billion/page.test.ts', showing: "'a-billion', '--stay'" },
  {
    command: 'npm run drill -- revoke-everything',
    provenBy: 'labs/drills/revocation-drill.int.test.ts',
    showing: 'drillRevokeEverything({',
  },
  { command: 'npm run revoke-everything', provenBy: 'labs/drills/revocation-drill.int.test.ts', showing: 'drillRevokeEverything({' },
  { command: 'npm run attacks -- --prove', provenBy: 'infra/testing/test.suites.ts', showing: "listen('attacks', ['--prove', '--fast']" },
  // The two run tests that the browser suites run as well.
  { command: 'npm run attacks', provenBy: 'labs/attacks/cross-service.native.e2e.ts', showing: 'C22' },
  { command: 'npm run fuzz', provenBy: 'labs/attacks/fuzz.native.e2e.ts', showing: 'inputs, seed' },
  {
    command: 'npm run keys -- rotate',
    provenBy: 'e2e/sessions/keys-and-certificates-rotate.native.e2e.ts',
    showing: "operate('keys', 'rotate', '--emergency')",
  },
  {
    command: 'npm run certificates -- rotate',
    provenBy: 'e2e/sessions/keys-and-certificates-rotate.native.e2e.ts',
    showing: "operate('certificates', 'rotate')",
  },
  { command: 'npm run admin', provenBy: 'e2e/sessions/account-security.e2e.ts', showing: "operate('admin', 'grant'" },
  { command: 'node apps/auth/dist/admin.main.js', provenBy: 'apps/auth/src/auth.mesh.test.ts', showing: 'admin.main' },
  { command: 'kubectl exec', byHand: 'no cluster here: the command in it is the one above' },
  { command: 'npm run chaos', provenBy: 'infra/testing/test.suites.ts', showing: "listen('chaos'" },
  { command: 'npm run call -- --list', provenBy: 'infra/call/call.test.ts', showing: 'listMethods()' },
  { command: 'npm run call', provenBy: 'e2e/sessions/call-an-rpc.e2e.ts', showing: "call(['cart', 'GetCart'])" },
  { command: 'npm run fault -- list', provenBy: 'e2e/faults/faults-meet-one-trainee.e2e.ts', showing: "shop.command('list')" },
  { command: 'npm run fault -- on', provenBy: 'e2e/faults/faults-meet-one-trainee.e2e.ts', showing: "shop.command('on', 'rpc-slow'" },
  { command: 'npm run fault -- off', provenBy: 'e2e/faults/faults-meet-one-trainee.e2e.ts', showing: "shop.command('off')" },
  { command: 'npm run load', provenBy: 'e2e/carts/load.embedded.e2e.ts', showing: "load('--people', '9', '--rate', '25'" },
  { command: 'npm run status', provenBy: 'infra/cli.test.ts', showing: "['status']" },
  { command: 'npm run doctor', provenBy: 'infra/cli.test.ts', showing: "['doctor']" },
  { command: 'npm pack -w', provenBy: 'infra/checks/taken-parts.int.test.ts', showing: "run('npm', ['pack', ...workspaces" },
  { command: 'npm install ../cloakroom-', provenBy: 'infra/checks/taken-parts.int.test.ts', showing: "run('npm', ['install'" },
  {
    command: 'npx nx g @cloakroom/tools:service',
    provenBy: 'tools/service/service.int.test.ts',
    showing: "nx('g', '@cloakroom/tools:service'",
  },
  {
    command: 'npx nx run @cloakroom/wishlist:test',
    provenBy: 'tools/service/service.int.test.ts',
    showing: "nx('run', '@cloakroom/wishlist:test')",
  },
  { command: 'kill -STOP', provenBy: 'e2e/kit/stack.ts', showing: "'SIGSTOP'" },
  { command: 'kill -CONT', provenBy: 'e2e/kit/stack.ts', showing: "'SIGCONT'" },
  { command: 'kill -9', provenBy: 'e2e/kit/stack.ts', showing: "'SIGKILL'" },
  { command: 'npm run cart -- history', provenBy: 'infra/cli/cart-operations.int.test.ts', showing: "run('history'" },
  { command: 'npm run cart -- redrive', provenBy: 'e2e/carts/cart-operations.native.e2e.ts', showing: "operate('redrive'" },
  { command: 'npm run cart -- replay', provenBy: 'e2e/carts/cart-operations.native.e2e.ts', showing: "operate('replay')" },
  { command: 'node apps/cart/dist/redrive.main.js', provenBy: 'apps/cart/src/operations/redrive.int.test.ts', showing: 'redrive.main' },
  {
    command: 'docker compose',
    provenBy: 'e2e/containers/shop-in-containers.containers.e2e.ts',
    showing: "'up', '--build', '--wait'",
  },
  {
    command: 'docker build --file infra/Dockerfile',
    provenBy: 'e2e/containers/shop-in-containers.containers.e2e.ts',
    showing: "'--build'",
  },
  { command: 'kubectl kustomize infra/k8s/overlays/example', byHand: noCluster },
  { command: 'kubectl apply --kustomize', byHand: noCluster },
  { command: 'kubectl apply --filename', byHand: noCluster },
  { command: 'kubectl apply --server-side', byHand: noCluster },
  { command: 'kubectl create', byHand: noCluster },
  { command: 'node infra/containers/write.ts', provenBy: 'infra/containers/derived.test.ts', showing: 'derivedFiles()' },
  {
    command: 'node infra/checks/draw-pictures.ts',
    byHand: 'it needs a browser; where it was forgotten, npm run check refuses the pictures (pictures.test.ts)',
  },
  { command: 'buf generate', provenBy: 'infra/checks/contracts.ts', showing: "['generate']" },
];

/** Files that CI runs: tests, their helpers, the suites, and the rule that is one of them. */
const isRun = (path: string): boolean =>
  /\.(?:test|e2e)\.ts$/.test(path) ||
  /^(?:e2e\/|labs\/attacks\/|\.ci\/run$|infra\/testing\/test\.suites\.ts$|infra\/checks\/contracts\.ts$)/.test(path);

/** Printing the help of a command shows nothing of the command. */
const onlyHelps = ({ command, showing }: ProvenCommand): boolean => showing.includes('--help') && !command.endsWith('--help');

/** Lines of shell blocks, and commands in backticks. */
const commandStart = /^(?:npm (?:start|test|run|ci|install)|(?:npx|node|buf|kill|docker|kubectl|kustomize|git clone|curl|redis-cli) \S)/;

export function checkDocumentedCommands(
  tree: Tree,
  documents: readonly string[],
  known: readonly DocumentedCommand[] = documentedCommands,
): Violation[] {
  const unproven = documents.flatMap((path) => {
    if (!tree.files.includes(path)) return [];
    return commandsOf(tree.read(path))
      .filter(({ command }) => !known.some((one) => command.startsWith(one.command)))
      .map(({ command, line }) => ({
        path,
        line,
        message: `\`${command}\` is run by nothing: add it to infra/checks/documented-commands.ts with what runs it`,
      }));
  });
  const proven = known.filter((one): one is ProvenCommand => 'provenBy' in one);
  const unkept = proven
    .filter(({ provenBy, showing }) => !tree.files.includes(provenBy) || !tree.read(provenBy).includes(showing))
    .map(({ command, provenBy, showing }) => ({
      path: provenBy,
      message: `does not run \`${command}\` (any more): ${showing} is not there`,
    }));
  const unrun = proven
    .filter((one) => onlyHelps(one) || !isRun(one.provenBy))
    .map(({ command, provenBy }) => ({
      path: provenBy,
      message: `is no run of \`${command}\`: name a test that runs it, and not its --help; or say byHand, and why`,
    }));
  return [...unproven, ...unkept, ...unrun];
}

export function commandsOf(text: string): { command: string; line: number }[] {
  let inBlock = false;
  return text.split('\n').flatMap((content, index) => {
    if (content.trimStart().startsWith('```')) {
      inBlock = !inBlock;
      return [];
    }
    const found = inBlock ? [content.trim().replace(/\s+#.*$/, '')] : [...content.matchAll(/`([^`]+)`/g)].map((match) => match[1]!);
    // KAFKA_BROKERS=... node x.js is the command node x.js. npx finds the program, and changes nothing else.
    const bare = found.map((command) => command.replace(/^(?:[A-Z_]+=\S+ )+/, '').replace(/^npx (?=buf |node )/, ''));
    return bare.filter((command) => commandStart.test(command)).map((command) => ({ command, line: index + 1 }));
  });
}
