import type { SessionIssued } from '@cloakroom/contracts';
import type { Answer, Exchange } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { homeOf } from '../identity/home-region.ts';
import { tokenOf, viewOf } from '../identity/issued-session.ts';
import { sessionBody } from './session-answer.ts';

/** Answers with the new token under which the session goes on. This gateway forgets the old token at once, the others by the feed. */
export function rotatedAnswer(exchange: Exchange, issued: SessionIssued, gateway: Pick<Gateway, 'identity'>): Answer {
  homeOf(gateway.identity, exchange.token)?.identities.forgetToken(exchange.token!.hash);
  return { status: 200, body: sessionBody(viewOf(issued)), newToken: tokenOf(issued) };
}
