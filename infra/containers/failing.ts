/** After a start that failed: which containers are the reason, and what they said last. Asked before `down` removes them with their logs. */

/** Enough for the cause and what led to it, on one screen with three others. */
const lineCount = 15;
/** One that fails takes those along that wait for it: the first few are the reason. */
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

/** A line a container; what is no line of its own (a warning) is none. */
function readRow(line: string): Row[] {
  try {
    return [JSON.parse(line) as Row];
  } catch {
    return [];
  }
}

/** Of one that waits for others, or that did its work and ended, undefined. */
function whyFailing({ State, Health, ExitCode }: Row): string | undefined {
  if (State === 'restarting') return `ends again and again, with code ${ExitCode}`;
  if (State === 'exited' || State === 'dead') return ExitCode === 0 ? undefined : `ended with code ${ExitCode}`;
  return Health === 'unhealthy' || Health === 'starting' ? 'runs, and is not healthy' : undefined;
}
