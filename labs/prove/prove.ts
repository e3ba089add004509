/**
 * `npm run prove`: checks the laws of carts over many histories, and then proves the proof. Each mutant of the cart must break a law, and the command
 * shows the smallest history in which it does.
 */
import { availableParallelism } from 'node:os';
import { runCommandLine, UsageError } from '../../infra/cli/command-line.ts';
import { provenMutants } from '../faults/mutant-list.cart.ts';
import type { Outcome } from './law.ts';
import type { Task } from './prove.worker.ts';
import { openProver, type LawName, type Prover } from './prover.ts';

const help = `npm run prove                       every law of carts, 100,000 random histories and every small one, then every mutant
npm run prove -- --histories 1e6    more of them
npm run prove -- --seed 7           the same ones again
npm run prove -- --laws             without the mutants
npm run prove -- --mutants          without the laws`;

/** A task of this many histories ends within half a minute, so that no process works on the last task for long while the others wait. */
const historiesPerTask = 10_000;
/** Histories of each law against a mutant. Far fewer find each of the present mutants. */
const historiesPerMutant = 3_000;
const progressEveryMs = 5_000;

const print = (line: string) => void process.stdout.write(`${line}\n`);

const options = {
  seed: { type: 'string' },
  histories: { type: 'string' },
  laws: { type: 'boolean' },
  mutants: { type: 'boolean' },
} as const;
await runCommandLine({ help, options }, (values) => {
  const seed = Number(values.seed ?? Date.now() % 2 ** 31);
  const histories = Number(values.histories ?? 100_000);
  if (!Number.isSafeInteger(seed) || !Number.isSafeInteger(histories) || histories < 1)
    throw new UsageError('--seed and --histories take whole numbers');
  return prove({ seed, histories, laws: values.mutants !== true, mutants: values.laws !== true });
});

async function prove(what: { seed: number; histories: number; laws: boolean; mutants: boolean }): Promise<number> {
  let failed = 0;
  let passed = 0;
  if (what.laws) {
    const broken = await proveLaws(what.seed, what.histories);
    failed += broken.failed;
    passed += broken.passed;
  }
  if (what.mutants) {
    print(`\n${provenMutants.length} mutants of the cart: each must break a law\n`);
    const left = [...provenMutants];
    const lane = async () => {
      for (let mutant = left.shift(); mutant !== undefined; mutant = left.shift()) {
        if (await isCaught(mutant.name, what.seed)) passed++;
        else failed++;
      }
    };
    await Promise.all(Array.from({ length: availableParallelism() }, lane));
  }
  print(`\n${passed} passed, ${failed} failed`);
  return failed === 0 ? 0 : 1;
}

async function proveLaws(seed: number, histories: number): Promise<{ passed: number; failed: number }> {
  const workers = await Promise.all(Array.from({ length: availableParallelism() }, () => openProver()));
  const { laws } = workers[0]!;
  // The long tasks come first, so that all workers end at about the same time.
  const tasks = laws.toSorted((a, b) => cost(b) - cost(a)).flatMap((law) => tasksOf(law, seed, histories));
  print(`seed ${seed}: ${laws.length} laws, ${histories} random histories and every small one, on ${workers.length} processes\n`);
  const sums = new Map(laws.map(({ name }) => [name, { histories: 0, left: tasks.filter(({ law }) => law === name).length, seconds: 0 }]));
  const began = performance.now();
  let failed = 0;
  let total = 0;
  const running = new Map<Prover, number>();
  const progress = setInterval(() => {
    const now = [...running.values()].reduce((sum, one) => sum + one, total);
    print(`         ${seconds(began)} s: ${now.toLocaleString('en')} histories so far`);
  }, progressEveryMs);
  await Promise.all(
    workers.map(async (worker) => {
      for (let task = tasks.shift(); task !== undefined; task = tasks.shift()) {
        const since = performance.now();
        const outcome = await worker.prove(task, (count) => running.set(worker, count));
        running.delete(worker);
        total += outcome.histories;
        const sum = sums.get(task.law)!;
        sum.histories += outcome.histories;
        sum.seconds += (performance.now() - since) / 1_000;
        sum.left -= 1;
        if (outcome.counterExample !== undefined) {
          failed += 1;
          print(`BROKEN   ${task.law}\n${describe(outcome.counterExample)}`);
          sum.left = Number.NaN;
        } else if (sum.left === 0) {
          const { says, share } = laws.find(({ name }) => name === task.law)!;
          const how = share === 0 ? 'all there are' : `seed ${seed}`;
          print(
            `holds    ${task.law}: ${sum.histories.toLocaleString('en')} histories (${how}, ${sum.seconds.toFixed(0)} s)\n         ${says}`,
          );
        }
      }
      worker.stop();
    }),
  );
  clearInterval(progress);
  print(`\n${total.toLocaleString('en')} histories in ${seconds(began)} s`);
  return { failed, passed: [...sums.values()].filter(({ left }) => left === 0).length };
}

/** An exhaustive law cannot be divided. */
function cost({ share }: LawName): number {
  return share === 0 ? 1_000 : share;
}

function tasksOf({ name, share }: LawName, seed: number, histories: number): Task[] {
  if (share === 0) return [{ law: name, depth: 'long', seed, histories: 0 }];
  const all = Math.ceil((histories * share) / 100);
  return Array.from({ length: Math.ceil(all / historiesPerTask) }, (_, index) => ({
    law: name,
    depth: 'long' as const,
    seed: (seed + index * historiesPerTask) % 2 ** 31,
    histories: Math.min(historiesPerTask, all - index * historiesPerTask),
  }));
}

/** Stops at the first law that breaks. */
async function isCaught(mutant: string, seed: number): Promise<boolean> {
  const began = performance.now();
  const prover = await openProver(mutant);
  try {
    for (const { name } of prover.laws) {
      const { counterExample } = await prover.prove({ law: name, depth: 'short', seed, histories: historiesPerMutant });
      if (counterExample === undefined) continue;
      print(`caught   ${mutant}, by "${name}" (${seconds(began)} s)\n${describe(counterExample)}`);
      return true;
    }
  } finally {
    prover.stop();
  }
  print(`SURVIVED ${mutant}`);
  return false;
}

function describe({ story, fault, replay }: NonNullable<Outcome['counterExample']>): string {
  return [...story.map((line, index) => `           ${index + 1}. ${line}`), `         ${fault} (${replay})`].join('\n');
}

function seconds(since: number): string {
  return ((performance.now() - since) / 1_000).toFixed(0);
}
