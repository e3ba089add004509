import type { Answer, Exchange } from '../exchange.ts';
import { noSession, sessionBody } from './session-answer.ts';

/** Never an error for lack of a session: an ended one reads as none. */
export function readSession(x: Exchange): Answer {
  return { status: 200, body: x.person === undefined ? noSession : sessionBody(x.person.view) };
}
