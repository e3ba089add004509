/** `npm run cart -- history` shows one cart's events, one by one. Rows go to standard output, and remarks to standard error. */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { parseArgs } from 'node:util';
import { isGuestSubject, isUserSubject } from '@cloakroom/contracts';
import { copyEmbeddedLog, openEventLog, type EventLog } from '@cloakroom/event-log';
import { ConfigError, createLogger, systemClock } from '@cloakroom/platform';
import { readHistoryConfig, type HistoryConfig } from '../config.ts';
import { jsonRow, tableHead, tableRow } from './history.print.ts';
import { readHistory } from './history.ts';
import { topicsBeside } from '../cart.dependencies.ts';

const help = `Prints every event of one cart and what it made of it.

  node apps/cart/dist/history.main.js <cartId> [--json] [--brokers host:port,...] [--log-file file]

  <cartId>     the subject of a session: u_... of a person, g_... of a guest
  --json       a JSON object a line, with everything
  --brokers    where cart.events is; default: KAFKA_BROKERS
  --log-file   the event log of an embedded shop instead: a copy of it is read
  --help       this

Where OTHER_REGIONS is set as for cart, with REGION, the logs of all regions are read. A column says which region's log took an event, and its
offset there. --brokers and --log-file name one log alone.

A dot is shown by the last 8 digits of its command id, a guest's with a g before it.
Exit code: 0 printed, 2 there is no such cart in the log, 1 it could not be read, 78 what it was told is not valid.
`;

export interface Terminal {
  readonly out: (line: string) => void;
  readonly err: (line: string) => void;
}

async function run(cartId: string, json: boolean, config: HistoryConfig, { out, err }: Terminal): Promise<number> {
  const log = createLogger('cart-history', config.LOG_LEVEL, process.stderr);
  const folder = mkdtempSync(join(tmpdir(), 'cart-history-'));
  let eventLog: EventLog | undefined;
  try {
    eventLog =
      config.EVENT_LOG_FILE === undefined
        ? await openEventLog({ kind: 'kafka', brokers: config.KAFKA_BROKERS ?? [], clientId: 'cart-history', log, clock: systemClock })
        : await openEventLog({ kind: 'embedded', file: copyOf(config.EVENT_LOG_FILE, folder), log, clock: systemClock });
    const topics = topicsBeside(config.OTHER_REGIONS.map(({ region }) => region));
    const here = topics.mirrors === undefined ? undefined : config.REGION;
    if (!json) out(tableHead(here));
    const { partition, first, lacking, steps } = await readHistory({ eventLog, topics, clock: systemClock }, cartId, (step) =>
      out(json ? jsonRow(step, here) : tableRow(step, here)),
    );
    const where =
      steps === 0 ? `there is no cart ${cartId} in this log (partition ${partition})` : `${steps} events in partition ${partition}`;
    const gone = first > 0n ? `; the log begins at offset ${first}: what was before is past its retention` : '';
    const shorter = lacking.map((region) => `; the copy of the log of ${region} has lost its beginning to its retention`).join('');
    // A remark, and not a row, because programs read the rows.
    err(`${where}${gone}${shorter}`);
    return steps === 0 ? 2 : 0;
  } finally {
    await eventLog?.close();
    rmSync(folder, { recursive: true, force: true });
  }
}

/** Copies the file, because to open a log deletes old records, and only the shop that owns the file may do so. */
function copyOf(file: string, folder: string): string {
  const copy = join(folder, 'events.log');
  copyEmbeddedLog(file, copy);
  return copy;
}

/** @returns the exit code */
export async function history(args: readonly string[], terminal: Terminal, env?: NodeJS.ProcessEnv): Promise<number> {
  try {
    const { values, positionals } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        json: { type: 'boolean', default: false },
        brokers: { type: 'string' },
        'log-file': { type: 'string' },
        help: { type: 'boolean', short: 'h' },
      },
    });
    const [cartId = ''] = positionals;
    if (values.help === true) {
      terminal.out(help);
      return 0;
    }
    if (positionals.length !== 1 || !(isUserSubject(cartId) || isGuestSubject(cartId)))
      throw new ConfigError('<cartId>: one u_... or g_...; --help says more');
    return await run(
      cartId,
      values.json,
      readHistoryConfig({ KAFKA_BROKERS: values.brokers, EVENT_LOG_FILE: values['log-file'] }, env),
      terminal,
    );
  } catch (error) {
    terminal.err(error instanceof Error ? error.message : String(error));
    return error instanceof ConfigError ? 78 : 1;
  }
}
