/**
 * Explains a failed start: which containers are the cause, and their last lines of output. It must run before
 * `down`, which removes them with their logs.
 */

/** Enough for the cause and the events before it, on one screen with three others. */
const lineCount = 15;
/** A failed container takes down those that wait for it, so the first few are the cause. */
const containerCountMax = 3;

export interface FailingContainer {
  readonly service: string;
  /** In words: `ended with code 1`. */
  readonly state: string;
  readonly lastLines: readonly string[];
}

interface Row {
  readonly Service: string;
  readonly State: string;
  readonly Health: string;
  readonly ExitCode: number;
}

/** @param compose runs `docker compose` with these arguments. @returns its standard output */
export async function failingContainers(compose: (args: readonly string[]) => Promise<string>): Promise<FailingContainer[]> {
  const rows = (await compose(['ps', '--all', '--format', 'json'])).split('\n').flatMap(readRow);
  const failing = rows.flatMap((row) => {
    const state = whyFailing(row);
    return state === undefined ? [] : [{ service: row.Service, state }];
  });
  const shown = failing.slice(0, containerCountMax).map(async ({ service, state }) => {
    const said = await compose(['logs', '--no-color', '--no-log-prefix', '--tail', String(lineCount), service]);
    return { service, state, lastLines: said.split('\n').filter((line) => line.trim() !== '') };
  });
  return Promise.all(shown);
}

/** One line for each container. A line that is no row, such as a warning, gives none. */
function readRow(line: string): Row[] {
  try {
    return [JSON.parse(line) as Row];
  } catch {
    return [];
  }
}

/** Undefined for a container that waits for others, or that did its work and ended. */
function whyFailing({ State, Health, ExitCode }: Row): string | undefined {
  if (State === 'restarting') return `ends again and again, with code ${ExitCode}`;
  if (State === 'exited' || State === 'dead') return ExitCode === 0 ? undefined : `ended with code ${ExitCode}`;
  return Health === 'unhealthy' || Health === 'starting' ? 'runs, and is not healthy' : undefined;
}
