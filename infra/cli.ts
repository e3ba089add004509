/**
 * The commands. bootstrap.mjs has made sure of Node 24, the packages and the build before. `npm run help` lists the commands by who uses
 * them, and `npm start -- --help` lists the options of start.
 */
import { Argument, Command, Option } from 'commander';
import { oceanRtt, portBase, sessionModes, timeSpan, tokenModes } from './cli/arguments.ts';
import type { CartFlags } from './cli/cart-operations.ts';
import type { OnFlags } from './cli/fault.ts';
import type { Algorithm } from './cli/rotate-keys.ts';
import type { ToolName } from './cli/tools.ts';
import { parseInspect } from './stack/inspect.ts';
import type { Inspect } from './stack/inspect.ts';
import { describeFailure } from './stack/outcome.ts';
import { providers } from './launch/provider.ts';
import type { ProviderChoice } from './launch/provider.ts';
import { regionNames, type RegionName } from './stack/stack.ports.ts';
import { defaultBase, profiles } from './stack/stack.ts';
import type { Profile } from './stack/stack.ts';
import { databases } from './stack/stack.spec.ts';
import type { Database } from './stack/stack.spec.ts';
import { watchable } from './watch/choice.ts';
import type { WatchChoice } from './watch/choice.ts';

interface StartFlags {
  infra: ProviderChoice;
  profile: Profile;
  portBase: number;
  fresh: boolean;
  logs: boolean;
  logLevel?: string;
  sessionMode?: string;
  sessionModes?: string;
  database?: Database;
  open: boolean;
  inspect?: Inspect[];
  watch?: WatchChoice;
  observatory: boolean;
  ocean?: number;
}

interface Which {
  portBase?: number;
  region?: RegionName;
}

const print = (line: string) => void process.stdout.write(`${line}\n`);
const startHelp = `
Infrastructure:
  native    two real Redis and one real Kafka, without containers (needs Redis or Valkey, Java 17+, Maven once)
  embedded  one Node process and nothing else; what it keeps is in files
  docker    the same as native, built and run in containers (needs an engine that answers, and its compose plugin)
  external  yours: KAFKA_BROKERS, SESSION_REDIS_URL, CART_REDIS_URL and, for PostgreSQL, DATABASE_URL from the environment
  auto      external if those are set, else native if it is there or can be installed, else docker if an engine
            answers, else embedded; it says which and why

Profile: usual is one of each service and two gateways; cluster (native only) is what production has several of: Redis Cluster of 3 + 3
for the sessions, three Kafka brokers, PostgreSQL, two of each service, three gateways (docs/cluster.md: 24 processes, 2 GB);
regions (native only) is two regions, eu and us, each with one of each, and an ocean between them (docs/regions.md: 3.2 GB).

Database: a SQLite file a service, or with --database postgres a real PostgreSQL (native brings one from npm, external takes yours).

Gateways answer on the port base and the next port, the Observatory on the port base + 9. Data and logs are in .cloakroom/<infrastructure>/.
Ctrl-C ends everything within 10 s. npm run status shows what runs.`;

/** Sets the exit code and ends: an object that a library still holds open must not keep the command alive. */
function ends(run: () => Promise<number>) {
  return async () => {
    try {
      process.exitCode = await run();
    } catch (error) {
      process.stderr.write(`${describeFailure(error)}\n`);
      process.exitCode = 1;
    }
    process.exit();
  };
}

/** A separate program, which explains its options itself. */
function tool(name: ToolName, description: string): void {
  program
    .command(name)
    .description(description)
    .helpOption(false)
    .argument('[arguments...]')
    .allowUnknownOption()
    .action((passed: string[]) => ends(async () => (await import('./cli/tools.ts')).runTool(name, passed))());
}

const program = new Command('npm run')
  .usage('<command> -- [options]   (npm run <command> -- --help)')
  .description('Cloakroom: a shop whose subject is the session')
  .helpCommand(false);

program.commandsGroup('Run it:');

program
  .command('start')
  .usage('-- [options]   (npm start -- [options])')
  .description('start the shop and keep it running until Ctrl-C')
  .addOption(new Option('--infra <provider>', 'what runs below the services').choices([...providers]).default('auto'))
  .addOption(new Option('--profile <profile>', 'how many of each').choices([...profiles]).default('usual'))
  .addOption(new Option('--port-base <port>', 'where the ports begin').argParser(portBase).default(defaultBase))
  .addOption(new Option('--database <database>', 'of auth, profile, catalog and orders (default: sqlite)').choices([...databases]))
  .addOption(new Option('--ocean <time>', 'the round trip between two regions: 150ms (default: 80ms)').argParser(oceanRtt))
  .option('--fresh', 'begin with empty data', false)
  .option('--logs', 'show the logs here; beside a running shop, show that one’s', false)
  .addOption(new Option('--log-level <level>', 'of the services').choices(['trace', 'debug', 'info', 'warn', 'error']))
  .addOption(new Option('--session-mode <mode>', 'for new sessions').choices([...tokenModes]))
  .addOption(new Option('--session-modes <modes>', 'that a sign-in may ask for, by commas').argParser(sessionModes))
  .option('--open', 'show the shop in the browser once it is ready', false)
  .addOption(new Option('--inspect <service>', 'take a debugger; service=port, once or more').argParser(parseInspect))
  .addOption(new Option('--watch [parts...]', 'build what you save, and restart what it touches; all, or these').choices([...watchable]))
  .option('--no-observatory', 'leave out the page that shows how requests travel (native and embedded have it)')
  .addHelpText('after', startHelp)
  .action((flags: StartFlags) => ends(async () => (await import('./cli/start.ts')).start({ ...flags, oceanRttMs: flags.ocean }, print))());

program
  .command('status')
  .description('every process that runs: state, URL, memory')
  .action(ends(async () => (await import('./cli/status.ts')).printStatus(print)));

program
  .command('doctor')
  .description('what this machine has, what it lacks, and the command that mends it')
  .action(ends(async () => (await import('./cli/doctor.ts')).doctor(print)));

program
  .command('help')
  .description('this list')
  .action(() => program.outputHelp());

program.commandsGroup('Study it:');

const fault = program
  .command('fault')
  .description('break the shop that runs here, for one trainee or for everybody: list, on, off')
  .addHelpText('after', '\nFaults end by themselves after 10 minutes at most, and 2 s after the Observatory ends or is paused.');
const ofWhichShop = new Option('--port-base <port>', 'which shop, where several run').argParser(portBase);
fault
  .command('list')
  .description('what may be broken, in words, and what is')
  .addOption(ofWhichShop)
  .action((flags: { portBase?: number }) => ends(async () => (await import('./cli/fault.ts')).listFaults(flags, print))());
fault
  .command('on')
  .description('break one thing; the command ends at once, and the Observatory keeps the fault until its end')
  .argument('<name>', 'as list tells')
  .addOption(new Option('--mine <id>', 'for this trainee alone; the page of the Observatory shows the id').conflicts('everybody'))
  .option('--everybody', 'for all who use this shop', false)
  .option('--at <place>', 'the method, service, process or topic, as list tells')
  .addOption(new Option('--strength <time>', '200ms, 2s').argParser(timeSpan))
  .addOption(new Option('--for <time>', 'how long, 10m at most (default: 2m)').argParser(timeSpan))
  .addOption(ofWhichShop)
  .action((name: string, flags: OnFlags) => ends(async () => (await import('./cli/fault.ts')).switchOn(name, flags, print))());
fault
  .command('off')
  .description('mend one thing, or everything')
  .argument('[name]', 'as list tells; all without it')
  .option('--mine <id>', 'only for this trainee')
  .addOption(ofWhichShop)
  .action((name: string | undefined, flags: { mine?: string; portBase?: number }) =>
    ends(async () => (await import('./cli/fault.ts')).switchOff(name, flags, print))(),
  );

tool('ocean', 'the network between two regions: cut, hold, lengthen and heal it');
tool('call', 'call any rpc of a local shop as a developer, with a passport; --list names them');
tool('load', 'people in the shop that runs here, for as long as you look');
tool('lab', 'put what everybody says to the test: predict, run, see, change one number');
tool('chaos', 'break a stack of its own while people shop, and judge what they were told');
tool('attacks', 'attack a running stack; --prove takes the defences away');
tool('bench', 'measure; --help tells what');

program.commandsGroup('Prove it:');

program
  .command('test')
  .summary('everything that CI runs; --quick answers within 6 minutes')
  .description(
    'everything: checks, unit, integration on real Redis and Kafka, browsers on embedded, native and native with PostgreSQL, the cluster, two regions, containers',
  )
  .option(
    '--only <suites>',
    'some of check,unit,integration,e2e-embedded,attack-proof,e2e-native,e2e-native-postgres,e2e-failures,e2e-chaos,e2e-cluster,e2e-regions,integration-labs,containers,benches,labs',
    (text: string) => text.split(','),
  )
  .option(
    '--quick',
    'within 6 minutes: checks, all unit tests, two files on real Redis and Kafka, five journeys in a browser on embedded',
    false,
  )
  .option(
    '--affected',
    'while you work: checks, and unit tests of the projects that differ from main and of those that depend on them',
    false,
  )
  .option('--again', 'run suites again that this very tree has passed on this machine', false)
  .action((flags: { only?: string[]; quick: boolean; affected: boolean; again: boolean }) =>
    ends(async () => (await import('./testing/test.ts')).test(flags, print))(),
  );

tool('check', 'types, lint, formatting and the house rules');
tool('e2e', 'browser tests; arguments go to Playwright');
tool('prove', 'the laws of carts over 100,000 histories, and mutants that break them');
tool('mutants', 'plant known defects and see the tests fail');
tool('fuzz', 'throw 100,000 inputs at a running stack');

program.commandsGroup('Operate it:');

const whichShop = new Option('--port-base <port>', 'which shop, where several run').argParser(portBase);
const whichRegion = new Option('--region <region>', 'where two regions run (default: eu)').choices([...regionNames]);

const cart = program.command('cart').description('look at the log of carts in the shop that runs here, and mend what it feeds');
const whichLog = new Option('--brokers <host:port,...>', 'another log than that of the shop that runs here').conflicts('region');
cart
  .command('history')
  .description('every event of one cart, and the cart after each')
  .argument('<cartId>', 'u_... of a person, g_... of a guest')
  .option('--json', 'a JSON object a line', false)
  .addOption(whichLog)
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((cartId: string, flags: CartFlags & { json: boolean }) =>
    ends(async () => (await import('./cli/cart-operations.ts')).cartHistory(cartId, flags))(),
  );
cart
  .command('redrive')
  .description('put dead letters back, once whatever made them unreadable is mended')
  .option('--dry-run', 'only say what would be done', false)
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((flags: CartFlags & { dryRun: boolean }) => ends(async () => (await import('./cli/cart-operations.ts')).cartRedrive(flags))());
cart
  .command('replay')
  .description('build the view of carts anew from the log beside the one that serves, then switch')
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((flags: CartFlags) => ends(async () => (await import('./cli/cart-operations.ts')).cartReplay(flags))());

program
  .command('admin')
  .description('grant or revoke the role of an administrator by e-mail, or list them, in the shop that runs here')
  .addArgument(new Argument('<action>').choices(['grant', 'revoke', 'list']))
  .argument('[email]', 'of an account that exists')
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((action: string, email: string | undefined, which: Which) =>
    ends(async () => (await import('./cli/admin.ts')).administer(email === undefined ? [action] : [action, email], which, print))(),
  );

program
  .command('keys')
  .description('rotate: auth signs with new keys, in the shop that runs here')
  .addArgument(new Argument('<action>').choices(['rotate']))
  .option('--emergency', 'a key has leaked: refuse all old ones everywhere, at once', false)
  .addOption(new Option('--algorithm <name>', 'signs passports from now on (docs/keys.md)').choices(['Ed25519', 'ES256']))
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((_action: string, flags: Which & { emergency: boolean; algorithm?: Algorithm }) =>
    ends(async () => (await import('./cli/rotate-keys.ts')).rotateKeys({ algorithm: undefined, ...flags }, print))(),
  );

program
  .command('certificates')
  .description('rotate: a new authority and new certificates of the mesh, in the shop that runs here')
  .addArgument(new Argument('<action>').choices(['rotate']))
  .addOption(whichShop)
  .action((_action: string, flags: { portBase?: number }) =>
    ends(async () => (await import('./cli/rotate-certificates.ts')).rotateCertificates(flags.portBase, print))(),
  );

program
  .command('revoke-everything')
  .description('end every session of the shop that runs here: everybody signs in again')
  .addOption(whichShop)
  .addOption(whichRegion)
  .action((which: Which) => ends(async () => (await import('./cli/revoke-everything.ts')).revokeEverything(which, print))());

tool('drill', 'an emergency, rehearsed and measured on a stack of its own; --help tells which');

// One line for each name; the --help of a command explains its options. This is set last, because a
// command inherits its parent's way to explain.
program.configureHelp({ subcommandTerm: (command) => command.name(), visibleOptions: () => [], helpWidth: 140 });

await program.parseAsync();
