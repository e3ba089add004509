/**
 * Runs one lab at a time, and remembers the last run. Two at once would measure each other, and their stacks share ports.
 *
 * This file owns the end of a run. A stop asks the lab to end, which it does after the measurement that goes on; what does not end is killed.
 */
import { createInterface } from 'node:readline';
import { setTimeout as after } from 'node:timers';
import type { LabLine, LabRunView, LabRunWanted } from '../api.ts';
import { Refusal } from '../edge/refusal.ts';
import type { LabChild, LabPrograms } from './lab-programs.ts';

/** Progress lines that a person reads while waiting. */
const saysMax = 8;
const lineLengthMax = 500;
/** The last words of a program that failed: a message, its remedy and the beginning of a stack trace. */
const whyLengthMax = 2_000;
/** A measurement takes a minute at most, and a stack with Kafka some seconds to end. */
const stopGraceMs = 90_000;

type Running = { -readonly [Key in keyof LabRunView]: LabRunView[Key] };

export class LabRuns {
  readonly #programs: Pick<LabPrograms, 'begin'>;
  readonly #nowMs: () => number;
  #view: Running | undefined;
  #child: LabChild | undefined;
  #kill: NodeJS.Timeout | undefined;

  constructor(programs: Pick<LabPrograms, 'begin'>, nowMs: () => number) {
    this.#programs = programs;
    this.#nowMs = nowMs;
  }

  get view(): LabRunView | undefined {
    return this.#view;
  }

  /** @throws Refusal where one runs already */
  begin(wanted: LabRunWanted): LabRunView {
    if (this.#child !== undefined) throw new Refusal('cannot_act', `${this.#view?.lab} runs already. Stop it, or wait for its end.`);
    const { lab, quick, answer } = wanted;
    const view: Running = {
      lab,
      quick,
      isExercise: answer !== undefined,
      state: 'running',
      startedAtMs: this.#nowMs(),
      endedAtMs: undefined,
      part: 0,
      says: [],
      why: undefined,
      exercise: undefined,
    };
    this.#view = view;
    const child = this.#programs.begin(wanted);
    this.#child = child;
    createInterface({ input: child.stdout }).on('line', (line) => hear(view, line));
    let said = '';
    child.stderr.setEncoding('utf8').on('data', (text: string) => (said = (said + text).slice(-whyLengthMax)));
    child.once('error', (error) => this.#ended(view, 1, error.message));
    child.once('close', (code) => this.#ended(view, code, said));
    return view;
  }

  /** @throws Refusal where nothing runs */
  stop(): LabRunView {
    if (this.#child === undefined || this.#view === undefined) throw new Refusal('cannot_act', 'No lab runs.');
    this.#view.state = 'stopping';
    this.#child.kill('SIGTERM');
    this.#kill ??= after(() => this.#child?.kill('SIGKILL'), stopGraceMs).unref();
    return this.#view;
  }

  /** The Observatory ends. */
  close(): void {
    clearTimeout(this.#kill);
    this.#child?.kill('SIGTERM');
  }

  #ended(view: Running, code: number | null, said: string): void {
    if (view.endedAtMs !== undefined) return;
    clearTimeout(this.#kill);
    this.#kill = undefined;
    this.#child = undefined;
    view.endedAtMs = this.#nowMs();
    // An exercise that was not understood ends with 1 too.
    const isDone = code === 0 || view.exercise !== undefined;
    view.state = isDone ? 'done' : view.state === 'stopping' ? 'stopped' : 'failed';
    if (isDone) view.part = 1;
    if (view.state === 'failed') view.why = reasonIn(said) || `It ended with ${code ?? 'a signal'} and said nothing.`;
  }
}

function hear(view: Running, text: string): void {
  const line = lineIn(text);
  if (line?.kind === 'exercise') view.exercise = line.outcome;
  if (line?.kind !== 'progress') return;
  view.part = line.part;
  view.says = [...view.says, line.text.slice(0, lineLengthMax)].slice(-saysMax);
}

function lineIn(text: string): LabLine | undefined {
  if (!text.startsWith('{')) return undefined;
  try {
    return JSON.parse(text) as LabLine;
  } catch {
    return undefined;
  }
}

/** Without the places in the code, which tell a trainee nothing. */
const reasonIn = (said: string): string =>
  said
    .split('\n')
    .filter((line) => !/^\s+at |^Stopping \(/.test(line))
    .join('\n')
    .replace(/^Error: /, '')
    .trim();
