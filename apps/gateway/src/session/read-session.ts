import type { Answer, Exchange } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { isLocal } from '../edge/experiment.ts';
import { noSession, sessionBody } from './session-answer.ts';

/** Shows the session. A missing or ended one reads as none, and is never an error. */
export function readSession(exchange: Exchange, { config }: Pick<Gateway, 'config'>): Answer {
  const session = exchange.person === undefined ? noSession : sessionBody(exchange.person.view);
  const { SESSION_MODE: usual, SESSION_MODES: allowed } = config;
  const modes = usual === undefined || allowed === undefined ? undefined : { default: usual, allowed };
  const observatory = isLocal(config) ? observatoryPage(config.OBSERVATORY_URL) : undefined;
  return { status: 200, body: { ...session, ...(modes && { modes }), ...(observatory !== undefined && { observatory }) } };
}

/**
 * Services may reach the Observatory by a number. A person gets the name: the page keeps its key, and browsers send its cookie, by the name. The
 * configuration takes no address outside of this machine.
 */
const observatoryPage = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : `http://localhost:${new URL(url).port}`;
