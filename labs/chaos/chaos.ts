/** `npm run chaos`: breaks a stack of its own while people use it, and checks that the answers they got still hold. */
import { randomInt } from 'node:crypto';
import { dirname, join } from 'node:path';
import { oneOf, runCommandLine, UsageError } from '../../infra/cli/command-line.ts';
import { dataRoot } from '../../infra/stack/folders.ts';
import { beginInside, isInside, lacksNamespaces } from './namespaces.ts';
import { faultMeanings, faultNames, unknownFaults } from './schedule.ts';
import type { FaultName } from './schedule.ts';

/** Apart from the ports of all other stacks of this repository. */
const baseDefault = 9800;
const minutesMax = 120;
/** Seconds between lines of progress in a log. */
const logEvery = 20;

const help = `npm run chaos                       3 minutes of faults on a separate native stack, then a verdict
npm run chaos -- --minutes N        N minutes (a fraction is allowed)
npm run chaos -- --seed S           the same faults and the same plans of clients again; a new seed is printed
npm run chaos -- --profile cluster  three brokers, a Redis Cluster, PostgreSQL, two of each service, three gateways
npm run chaos -- --profile regions  two regions, and the ocean between them as a fault
npm run chaos -- --faults a,b       only these:
${faultNames.map((name) => `    ${name.padEnd(12)}${faultMeanings[name]}`).join('\n')}
npm run chaos -- --clients N        devices that shop meanwhile (8)
npm run chaos -- --out DIR          where history.jsonl, verdict.json and timeline.json go (.cloakroom/chaos/<profile>-<seed>)
npm run chaos -- --judge FILE       judge a history.jsonl of an earlier run again; writes to a folder "again" beside it
npm run chaos -- --port-base PORT   where the ports of the stack begin (${baseDefault})

Ctrl-C mends what is broken and still reports. Exit code 1 on an anomaly. docs/chaos.md explains the judgement.`;

const options = {
  minutes: { type: 'string' },
  seed: { type: 'string' },
  profile: { type: 'string' },
  faults: { type: 'string' },
  clients: { type: 'string' },
  out: { type: 'string' },
  judge: { type: 'string' },
  'port-base': { type: 'string' },
} as const;
type Values = { readonly [Name in keyof typeof options]?: string | undefined };

await runCommandLine({ help, options }, chaos);
// A handle that a library still holds open must not keep the command alive.
process.exit();

async function chaos(values: Values): Promise<number> {
  // Imported only now: a person who asks for help may have nothing built.
  const { judgeAgain, outFolder, runChaos } = await import('./command.ts');
  if (values.judge !== undefined) {
    const out = values.out ?? join(dirname(values.judge), 'again');
    return (await judgeAgain(values.judge, out, (line) => console.log(line))).ok ? 0 : 1;
  }
  const { minutes, seed, profile, only, clients, base } = read(values);
  const wantsPartition = only === undefined || only.includes('partition');
  const rerun = rerunOf(values, minutes, seed, profile);
  // The rest of the run is inside a network namespace, which goes when the run ends.
  if (profile === 'cluster' && wantsPartition && !isInside() && lacksNamespaces() === undefined)
    return beginInside([
      ...process.execArgv,
      import.meta.filename,
      ...process.argv.slice(2),
      ...(values.seed === undefined ? ['--seed', String(seed)] : []),
    ]);
  const interrupted = new AbortController();
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => interrupted.abort());
  const { verdict } = await runChaos({
    minutes,
    seed,
    profile,
    base,
    only,
    clients,
    out: values.out ?? outFolder(dataRoot, seed, profile),
    rerun,
    signal: interrupted.signal,
    say: (line) => console.log(line),
    progress: openProgressLine(),
  });
  return verdict.ok ? 0 : 1;
}

function read(values: Values) {
  const asked = values.faults?.split(',').filter((name) => name !== '');
  const unknown = unknownFaults(asked ?? []);
  if (unknown !== undefined) throw new UsageError(unknown);
  const profile = oneOf('--profile', values.profile ?? 'native', ['native', 'cluster', 'regions']);
  return {
    minutes: number('--minutes', values.minutes ?? '3', 0.05, minutesMax),
    seed: values.seed === undefined ? randomInt(1, 1_000_000) : Math.floor(number('--seed', values.seed, 0, 2 ** 32 - 1)),
    clients: values.clients === undefined ? undefined : Math.floor(number('--clients', values.clients, 1, 64)),
    base: number('--port-base', values['port-base'] ?? String(baseDefault), 1_024, 64_000),
    only: asked as readonly FaultName[] | undefined,
    profile,
  } as const;
}

function number(option: string, text: string, min: number, max: number): number {
  const value = Number(text);
  if (!(value >= min && value <= max)) throw new UsageError(`${option} ${text}: a number from ${min} to ${max}`);
  return value;
}

function rerunOf(values: Values, minutes: number, seed: number, profile: string): string {
  const faults = values.faults === undefined ? '' : ` --faults ${values.faults}`;
  const clients = values.clients === undefined ? '' : ` --clients ${values.clients}`;
  return `npm run chaos -- --minutes ${minutes} --seed ${seed} --profile ${profile}${faults}${clients}`;
}

/** Shows one changing line on a terminal. A log gets a line now and then. */
function openProgressLine(): (line: string | undefined) => void {
  let count = 0;
  return (line) => {
    if (process.stdout.isTTY)
      process.stdout.write(line === undefined ? '\r\u001b[K' : `\r\u001b[K${line.slice(0, process.stdout.columns - 1)}`);
    else if (line !== undefined && count++ % logEvery === 0) console.log(line);
  };
}
