/** The programs of labs, which this process starts and never imports: what they tell about the labs, and how one begins. */
import { execFile, spawn, type ChildProcessByStdio } from 'node:child_process';
import { existsSync } from 'node:fs';
import { delimiter, dirname, join } from 'node:path';
import type { Readable } from 'node:stream';
import type { LabRunWanted } from '../api.ts';
import type { ObservatoryConfig } from '../config.ts';
import { Refusal } from '../edge/refusal.ts';

/** Each is a process of 150 MB that loads the labs for a second or two. */
const askedMax = 2;
const waitingMax = 8;
/** A crowded machine takes several times as long. */
const timeoutMs = 30_000;
/** Two pictures of a result in two shades, and a page of text: a tenth of this. */
const outputLengthMax = 4 * 1024 * 1024;
/** Node prints these beside what the program says. */
const quiet = ['--disable-warning=ExperimentalWarning', '--disable-warning=TimeoutNegativeWarning'];

export type LabChild = ChildProcessByStdio<null, Readable, Readable>;

export interface LabSource {
  /** The folder with the labs; '' outside of a development checkout. */
  readonly dir: string;
  readonly env: Readonly<Record<string, string>>;
}

export function labSourceOf({ LABS_DIR, LABS_KEPT_DIR, ambient }: ObservatoryConfig): LabSource {
  // As npm run has it: a lab may start a tool of the repository.
  const bin = join(dirname(LABS_DIR), 'node_modules', '.bin');
  const path = [dirname(process.execPath), bin, ...(ambient['PATH'] === undefined ? [] : [ambient['PATH']])].join(delimiter);
  return { dir: LABS_DIR, env: { ...ambient, PATH: path, ...(LABS_KEPT_DIR !== '' && { LABS_KEPT_DIR }) } };
}

export class LabPrograms {
  readonly #source: LabSource;
  #asked = 0;
  readonly #waiting: (() => void)[] = [];

  constructor(source: LabSource) {
    this.#source = source;
  }

  get present(): boolean {
    return this.#source.dir !== '';
  }

  /** @throws Refusal where there are no labs, or none of this name */
  expect(name: string): void {
    if (!this.present) throw new Refusal('not_found', 'The labs are part of a development checkout, and this is none.');
    // A name is a folder below labs and an argument of a program: nothing else may be made of it.
    if (!/^[a-z][a-z0-9-]{0,63}$/.test(name) || !existsSync(join(this.#source.dir, name, 'lab.ts')))
      throw new Refusal('not_found', `There is no lab ${name}.`);
  }

  /** @throws Refusal */
  async ask<Answer>(...words: readonly string[]): Promise<Answer> {
    await this.#turn();
    try {
      return JSON.parse(await this.#outputOf(words)) as Answer;
    } finally {
      const next = this.#waiting.shift();
      // Whoever waited takes the place over.
      if (next === undefined) this.#asked--;
      else next();
    }
  }

  /**
   * In a process group of its own. The supervisor ends this process' group a second after it asked, and a lab needs longer to end its own stack.
   * A lab whose parent is gone ends by itself.
   */
  begin({ lab, quick, answer }: LabRunWanted): LabChild {
    const exercise = answer === undefined ? [] : ['--exercise', `--answer=${answer}`];
    const args = [...quiet, join(this.#source.dir, 'course', 'command.ts'), lab, '--json', ...(quick ? ['--quick'] : []), ...exercise];
    return spawn(process.execPath, args, {
      cwd: dirname(this.#source.dir),
      env: this.#source.env,
      stdio: ['ignore', 'pipe', 'pipe'],
      detached: true,
    });
  }

  async #turn(): Promise<void> {
    if (this.#asked < askedMax) this.#asked++;
    else if (this.#waiting.length >= waitingMax) throw new Refusal('too_many_requests', `${waitingMax} questions about labs wait already.`);
    else await new Promise<void>((resolve) => this.#waiting.push(resolve));
  }

  #outputOf(words: readonly string[]): Promise<string> {
    const args = [...quiet, join(this.#source.dir, 'course', 'tell.ts'), ...words];
    const options = { cwd: dirname(this.#source.dir), env: this.#source.env, timeout: timeoutMs, maxBuffer: outputLengthMax };
    return new Promise((resolve, reject) => {
      execFile(process.execPath, args, options, (error, output, said) => {
        if (error === null) resolve(output);
        // Its own exit code for an answer that it does not take.
        else if (error.code === 2) reject(new Refusal('invalid_request', said.trim()));
        else reject(new Refusal('labs_unreadable', said.trim().split('\n')[0] ?? 'It said nothing.'));
      });
    });
  }
}
