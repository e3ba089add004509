/** Faults on purpose: a text of a source file is replaced while the file is loaded. Nothing on disk changes, so nothing can be left behind. */

export interface Edit {
  /** A source file, from the root of the repository. */
  readonly file: string;
  /** Stands exactly once in the file, and in what is built from it: within a line, without types. */
  readonly find: string;
  readonly replace: string;
}

export interface PlantedFault {
  readonly name: string;
  readonly edits: readonly Edit[];
}

/** A fault that tests must notice. */
export interface Mutant extends Edit {
  readonly name: string;
  /** Where it must be noticed: a package, and files of it. */
  readonly noticedBy: readonly { readonly package: string; readonly tests: readonly string[] }[];
  /** Needs a real Redis or Kafka. */
  readonly integration?: boolean;
}

/** @throws where the fault is out of date: its text does not stand exactly once in `source` */
export function withFault(source: string, { name, edits }: PlantedFault): string {
  return edits.reduce((text, { file, find, replace }) => {
    const parts = text.split(find);
    if (parts.length !== 2) throw new Error(`the fault ${name} is out of date: its text stands ${parts.length - 1} times in ${file}`);
    return parts.join(replace);
  }, source);
}

/** The part of a fault that concerns the file at `path`, as it is written or as it is built. */
export function partFor(path: string, { name, edits }: PlantedFault): PlantedFault | undefined {
  const own = edits.filter(({ file }) => path.endsWith(`/${file}`) || path.endsWith(`/${builtFrom(file)}`));
  return own.length === 0 ? undefined : { name, edits: own };
}

/** The compiler keeps lines as they are but for types. */
const builtFrom = (file: string): string => file.replace('/src/', '/dist/').replace(/\.ts$/, '.js');
