import type { Answer, Exchange } from '../http-exchange.ts';
import type { Gateway, IdentityParts } from '../gateway.ts';
import { isLocal } from '../edge/experiment.ts';
import { noSession, sessionBody, type SessionRegions } from './session-answer.ts';

/** Shows the session. A missing or ended one reads as none, and is never an error. */
export function readSession(exchange: Exchange, { config, identity }: Pick<Gateway, 'config' | 'identity'>): Answer {
  const session = exchange.person === undefined ? noSession : sessionBody(exchange.person.view);
  const { SESSION_MODE: usual, SESSION_MODES: allowed } = config;
  const modes = usual === undefined || allowed === undefined ? undefined : { default: usual, allowed };
  const observatory = isLocal(config) ? observatoryPage(config.OBSERVATORY_URL) : undefined;
  const region = regionsOf(exchange, identity);
  const more = { ...(modes && { modes }), ...(observatory !== undefined && { observatory }), ...(region && { region }) };
  return { status: 200, body: { ...session, ...more } };
}

/** With one region there is nothing to tell. */
function regionsOf({ person }: Exchange, { region, abroad }: IdentityParts): SessionRegions | undefined {
  if (abroad.size === 0) return undefined;
  return {
    here: region,
    ...(person && { home: person.view.region, homeReachable: person.home === undefined || person.decision !== 'degraded' }),
  };
}

/**
 * Services may reach the Observatory by a number. A person gets the name: the page keeps its key, and browsers send its cookie, by the name. The
 * configuration takes no address outside of this machine.
 */
const observatoryPage = (url: string | undefined): string | undefined =>
  url === undefined ? undefined : `http://localhost:${new URL(url).port}`;
