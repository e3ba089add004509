/** Labs as the Observatory shows them: its server is told this by their programs as JSON. Nothing imports labs, so these types stand here. */

/** An entry of the list, in the order of the course. It tells no result: a person predicts first. */
export interface ListedLabView {
  readonly name: string;
  /** As people say it. */
  readonly claim: string;
  readonly question: string;
  /** The length of a full run: "4 min". */
  readonly minutes: string;
  readonly needs: 'node' | 'native';
  /** A prediction of this person is kept. */
  readonly predicted: boolean;
  /** The person's own last run, ISO 8601. */
  readonly ownRunAt: string | undefined;
}

/** One lab, as it is shown before the prediction. */
export interface LabView extends ListedLabView {
  readonly prediction: {
    readonly asks: string;
    /** Answers by letter; undefined where a number is asked for. */
    readonly choices: Readonly<Record<string, string>> | undefined;
    readonly unit: string;
    /** The answer that is kept. */
    readonly given: string | undefined;
  };
}

/** Shown after the prediction. */
export interface LabFindingsView {
  readonly name: string;
  /** The prediction in words, and the right answer where it is a choice. Undefined where nothing was predicted. */
  readonly predicted: { readonly words: string; readonly rightWords: string | undefined; readonly right: boolean | undefined } | undefined;
  readonly arms: readonly { readonly name: string; readonly says: string }[];
  readonly quantities: readonly { readonly name: string; readonly unit: string; readonly says: string }[];
  readonly exercise: { readonly task: string; readonly asks: string; readonly unit: string };
  readonly published: LabResultView | undefined;
  readonly own: LabResultView | undefined;
  /** The lab's page, without its title and its figure. */
  readonly text: readonly TextBlock[];
}

export type LabVerdict = 'holds' | 'does not hold' | 'not resolved';

export interface LabResultView {
  /** ISO 8601. */
  readonly at: string;
  readonly quick: boolean;
  readonly rounds: number;
  readonly seconds: number;
  readonly machine: { readonly processor: string; readonly cores: number; readonly node: string; readonly load: string };
  /** Each number that differs from the usual one: "replicas = 6". */
  readonly changed: readonly string[];
  /** The verdict on the claim is that of the first. */
  readonly judged: readonly JudgedView[];
  /** Medians over the rounds, by arm; the control stands twice. */
  readonly table: { readonly head: readonly string[]; readonly rows: readonly (readonly string[])[] };
  readonly stories: Readonly<Record<string, string>>;
  readonly figure: { readonly title: string; readonly light: string; readonly dark: string } | undefined;
}

export interface JudgedView {
  readonly says: string;
  readonly verdict: LabVerdict;
  /** "1.69 (1.65 to 1.72)" */
  readonly interval: string;
  /** The same arm against itself. */
  readonly control: string;
  /** "sticky / shared, busiest over the mean; it holds above 1.2" */
  readonly rule: string;
  /** Why it is not resolved. */
  readonly why: string | undefined;
}

/** A lab's page as parts that another page can draw in its own look. */
export type TextBlock =
  | { readonly kind: 'heading'; readonly depth: number; readonly parts: readonly TextPart[] }
  | { readonly kind: 'paragraph'; readonly parts: readonly TextPart[] }
  | { readonly kind: 'list'; readonly ordered: boolean; readonly items: readonly (readonly TextPart[])[] }
  | { readonly kind: 'code'; readonly text: string }
  | { readonly kind: 'table'; readonly rows: readonly (readonly (readonly TextPart[])[])[] };

export interface TextPart {
  readonly text: string;
  readonly style: 'plain' | 'strong' | 'emphasis' | 'code';
  /** An https address. Links into the repository have none: the page does not serve its files. */
  readonly href: string | undefined;
}

/** A line of a run's standard output. Other lines are for people. */
export type LabLine =
  | { readonly kind: 'progress'; readonly lab: string; readonly text: string; readonly part: number }
  | { readonly kind: 'exercise'; readonly lab: string; readonly outcome: ExerciseOutcome };

export interface ExerciseOutcome {
  readonly right: boolean;
  /** "You said 5, the run measured 20 people" */
  readonly said: string;
  readonly why: string;
}

/** The body of `POST /api/lab-run`. With an answer it is the exercise that runs. */
export interface LabRunWanted {
  readonly lab: string;
  readonly quick: boolean;
  readonly answer?: number;
}

/** `GET /api/lab-run`: the run that goes on, or the last one since the Observatory began. One goes on at a time. */
export interface LabRunView {
  readonly lab: string;
  readonly quick: boolean;
  readonly isExercise: boolean;
  readonly state: 'running' | 'stopping' | 'done' | 'stopped' | 'failed';
  readonly startedAtMs: number;
  readonly endedAtMs: number | undefined;
  /** The part of its measurements that is done, 0 to 1. */
  readonly part: number;
  /** The last lines that it said, the newest last. */
  readonly says: readonly string[];
  /** Why it failed, with the remedy where there is one. */
  readonly why: string | undefined;
  readonly exercise: ExerciseOutcome | undefined;
}
