/** A session that auth has just issued: the token for the cookies, and the view for the page. */
import type { SessionIssued, SessionView } from '@cloakroom/contracts';
import { readRefreshToken } from '@cloakroom/session';
import type { NewToken } from '../http-exchange.ts';

export function tokenOf(issued: SessionIssued): NewToken {
  const view = viewOf(issued);
  const expiresAtMs = Number(view.expiresAtMs);
  const parts = readRefreshToken(issued.refreshToken);
  if (parts === undefined) return { text: issued.token, expiresAtMs, view };
  const selfContained = { access: issued.accessToken, accessExpiresAtMs: Number(issued.accessExpiresAtMs), parts };
  return { text: issued.refreshToken, expiresAtMs, view, selfContained };
}

export function viewOf(issued: SessionIssued): SessionView {
  if (issued.session === undefined || (issued.token === '' && issued.refreshToken === ''))
    throw new Error('auth issued a session without a view or a token');
  return issued.session;
}
