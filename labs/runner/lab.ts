/**
 * A lab puts one claim to the test: arms that differ in one thing, measured in turn in one run, with one arm measured a second
 * time as a control. The runner does the rest (measure.ts, judge.ts, command.ts).
 */

/** How a person says beforehand what will come out. */
export type Prediction =
  | { readonly kind: 'choice'; readonly asks: string; readonly choices: Readonly<Record<string, string>>; readonly right: string }
  | { readonly kind: 'number'; readonly asks: string; readonly unit: string };

export interface Arm {
  readonly name: string;
  /** How it differs from the others, as a sentence. */
  readonly says: string;
}

export interface Quantity {
  /** '' for a plain count. */
  readonly unit: string;
  readonly says: string;
}

/** A number that a person may change with `--set`, within bounds. */
export interface Dial {
  readonly value: number;
  readonly min: number;
  readonly max: number;
  readonly unit: string;
  readonly says: string;
}

export type Verdict = 'holds' | 'does not hold' | 'not resolved';

/**
 * A statement about two arms that an interval decides. It holds where the whole interval is above `above`, and does not hold where the whole
 * interval is at or below it.
 */
export interface Statement {
  readonly says: string;
  readonly quantity: string;
  readonly of: string;
  readonly against: string;
  /** `difference`: of - against. `ratio`: of / against, where both are above zero. */
  readonly as: 'ratio' | 'difference';
  readonly above: number;
  /** The control may differ by this at most: from 1 where a ratio is judged, from 0 where a difference is. */
  readonly margin: number;
  /** The verdict of full runs. */
  readonly found: Exclude<Verdict, 'not resolved'>;
  /** `held`: a quick run can decide it, and CI fails where it finds something else. `shown`: it takes a full run. */
  readonly inQuick: 'held' | 'shown';
}

/** Change one number, predict again: the run with that number says whether it was understood. */
export interface Exercise {
  readonly task: string;
  /** Values of dials. */
  readonly set: Readonly<Record<string, number>>;
  readonly asks: string;
  readonly unit: string;
  /** The answer, as the run with `set` measured it. */
  readonly answer: (result: Result) => number;
  /** How far an answer may be from the measured one: a part of it, and never less than `withinAtLeast`. */
  readonly withinPart: number;
  readonly withinAtLeast: number;
  readonly why: string;
}

export type Figure = (result: Result) => FigureData;

/** Points for one chart. The runner draws it light and dark. */
export interface FigureData {
  readonly title: string;
  readonly mark: 'bar' | 'line';
  readonly x: FigureAxis;
  readonly y: FigureAxis;
  /** The field that gives each series its colour and its shape. */
  readonly series?: string;
  readonly points: readonly Readonly<Record<string, string | number>>[];
}

export interface FigureAxis {
  readonly field: string;
  readonly title: string;
  readonly type: 'quantitative' | 'nominal' | 'ordinal';
  readonly scale?: 'linear' | 'log' | 'symlog';
}

/** The parts that must be there before it can run. */
export type LabNeed = 'node' | 'native';

export interface Opening {
  readonly quick: boolean;
  readonly dials: Readonly<Record<string, number>>;
  /** Where the ports of its own stack begin. */
  readonly base: number;
  readonly say: (line: string) => void;
}

/** The measurements of an arm in one round, by quantity. */
export type Measured = Readonly<Record<string, number>>;

export interface LabStage {
  /** Measures an arm once. @param arm its name */
  measure(arm: string, round: number): Promise<Measured>;
  /** Tells what happened in an arm, as text that a person reads after the table. */
  story?(arm: string): string | undefined;
  close(): Promise<void>;
}

export interface Lab {
  readonly name: string;
  /** As people say it. The verdict of the first statement is the verdict on the claim. */
  readonly claim: string;
  readonly question: string;
  readonly needs: LabNeed;
  readonly rounds: { readonly quick: number; readonly full: number };
  readonly prediction: Prediction;
  readonly dials: Readonly<Record<string, Dial>>;
  readonly arms: readonly Arm[];
  /** The arm that is measured twice in each round. */
  readonly control: string;
  readonly quantities: Readonly<Record<string, Quantity>>;
  readonly statements: readonly [Statement, ...Statement[]];
  readonly figure: Figure;
  readonly exercise: Exercise;
  open(opening: Opening): Promise<LabStage>;
  /** Opens what an arm runs on for a person to try, until `stop`. */
  stay?(arm: string, base: number): Promise<Opened>;
}

export interface Opened {
  /** Where to look. */
  readonly says: string;
  stop(): Promise<void>;
}

export interface Sample {
  readonly arm: string;
  readonly round: number;
  readonly measured: Measured;
}

/** The control's second measurement has the arm's name with this behind it. */
export const again = ' (again)';

export interface Interval {
  readonly middle: number;
  readonly low: number;
  readonly high: number;
}

export interface Judged {
  readonly says: string;
  readonly verdict: Verdict;
  readonly interval: Interval;
  readonly control: Interval;
  /** Why it is not resolved. */
  readonly why?: string;
}

export interface Result {
  readonly lab: string;
  /** ISO 8601. */
  readonly at: string;
  readonly quick: boolean;
  readonly dials: Readonly<Record<string, number>>;
  readonly machine: { readonly processor: string; readonly cores: number; readonly node: string; readonly load: string };
  readonly samples: readonly Sample[];
  readonly judged: readonly Judged[];
  readonly seconds: number;
  /** By arm. */
  readonly stories: Readonly<Record<string, string>>;
}
