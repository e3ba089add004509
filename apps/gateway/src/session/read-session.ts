import type { Answer, Exchange } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { noSession, sessionBody } from './session-answer.ts';

/** Shows the session. A missing or ended one reads as none, and is never an error. */
export function readSession(exchange: Exchange, { config }: Pick<Gateway, 'config'>): Answer {
  const session = exchange.person === undefined ? noSession : sessionBody(exchange.person.view);
  const { SESSION_MODE: usual, SESSION_MODES: allowed } = config;
  const modes = usual === undefined || allowed === undefined ? undefined : { default: usual, allowed };
  return { status: 200, body: { ...session, ...(modes && { modes }) } };
}
