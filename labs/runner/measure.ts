/** Measures the arms of a lab in turn, in an order that rotates, so that other work on the machine meets all of them alike. */
import { cpus, loadavg } from 'node:os';
import { StackError } from '../../infra/stack/outcome.ts';
import { rotated } from '../bench/measuring/statistics.ts';
import { judge } from './judge.ts';
import { again, type Lab, type LabStage, type Result, type Sample } from './lab.ts';

export interface Run {
  readonly quick: boolean;
  readonly base: number;
  readonly dials: Readonly<Record<string, number>>;
  readonly say: (line: string) => void;
  /** Gets the part of the measurements that is done, 0 to 1, before each of them. */
  readonly onPart?: (part: number) => void;
  readonly interrupted?: () => boolean;
}

/** @throws where an arm cannot be measured, or on an interruption */
export async function runLab(lab: Lab, run: Run): Promise<Result> {
  const began = performance.now();
  const { quick, base, say } = run;
  const dials = { ...Object.fromEntries(Object.entries(lab.dials).map(([name, { value }]) => [name, value])), ...run.dials };
  const load = loadavg()[0]!.toFixed(1);
  const stage = await lab.open({ quick, dials, base, say });
  try {
    const samples = await measureAll(lab, stage, run);
    return {
      lab: lab.name,
      at: new Date().toISOString(),
      quick,
      dials,
      machine: { processor: cpus()[0]?.model ?? 'unknown', cores: cpus().length, node: process.version, load },
      samples,
      judged: judge(lab, samples),
      stories: storiesOf(lab, stage),
      seconds: Math.round((performance.now() - began) / 100) / 10,
    };
  } finally {
    await stage.close();
  }
}

function storiesOf({ arms }: Lab, stage: LabStage): Record<string, string> {
  const told = arms.map(({ name }) => [name, stage.story?.(name)] as const);
  return Object.fromEntries(told.filter((one): one is readonly [string, string] => one[1] !== undefined));
}

async function measureAll(lab: Lab, stage: LabStage, { quick, say, onPart, interrupted }: Run): Promise<Sample[]> {
  const samples: Sample[] = [];
  const rounds = quick ? lab.rounds.quick : lab.rounds.full;
  const names = [...lab.arms.map(({ name }) => name), `${lab.control}${again}`];
  for (let round = 0; round < rounds; round++) {
    for (const [index, name] of rotated(names, round).entries()) {
      if (interrupted?.() === true) throw new StackError('interrupted', 'nothing was kept; run it again');
      onPart?.(samples.length / (rounds * names.length));
      say(`round ${round + 1} of ${rounds}, arm ${index + 1} of ${names.length}: ${name}`);
      samples.push({ arm: name, round, measured: await stage.measure(name.replace(again, ''), round) });
    }
  }
  return samples;
}
