import type { SessionIssued } from '@cloakroom/contracts';
import { homeOf, isAbroad } from './home-region.ts';
import { leave } from './identify-caller.ts';
import type { IdentityParts } from '../gateway.ts';
import { type BrowserToken, type Exchange, outgoing } from '../http-exchange.ts';

/** A sign-in has succeeded and waits no longer than this for another region. */
const endingBudgetMs = 800;

/**
 * The browser's token before a sign-in died with it. The other gateways hear of it from the feed. auth here cannot end a session of another region,
 * so its home is asked, once. If home does not answer in time, that session runs out by itself. A guest's session whose cart waits for its home is
 * ended by that home, with the claim.
 */
export async function replaceSession(
  exchange: Exchange,
  gateway: { readonly identity: IdentityParts },
  { currentTokenOwn, claimWaits }: Pick<SessionIssued, 'currentTokenOwn' | 'claimWaits'>,
): Promise<void> {
  const { token } = exchange;
  const shown = [claimWaits ? undefined : token, token?.selfContained?.beside].filter((one) => one !== undefined);
  await Promise.all(shown.map((one) => endIfAbroad(exchange, one, gateway.identity)));
  leave(gateway.identity, token, currentTokenOwn);
}

async function endIfAbroad(exchange: Exchange, token: BrowserToken, identity: IdentityParts): Promise<void> {
  const home = homeOf(identity, token);
  if (home === undefined || !isAbroad(home)) return;
  const budgetMs = Math.min(endingBudgetMs, exchange.deadline.remainingMs());
  await home.auth.logout({ ...outgoing(exchange), budgetMs }, { token: token.text });
}
