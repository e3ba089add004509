import type { SessionIssued } from '@cloakroom/contracts';
import { homeOf, isAbroad } from './home-region.ts';
import { leave } from './identify-caller.ts';
import type { IdentityParts } from '../gateway.ts';
import { type BrowserToken, type Exchange, outgoing } from '../http-exchange.ts';

/** A sign-in has succeeded and waits no longer than this for another region. */
const endingBudgetMs = 800;

/**
 * The browser's token before a sign-in died with it. The other gateways hear of it from the feed. auth here cannot end a session of another region,
 * so its home is asked, once. If home does not answer in time, that session runs out by itself. Where home must still say whether a guest's cart comes
 * along, auth here has it end the session with that answer.
 * @returns the region whose answer the cart waits for
 */
export async function replaceSession(
  exchange: Exchange,
  gateway: { readonly identity: IdentityParts },
  { currentTokenOwn, claimWaits }: Pick<SessionIssued, 'currentTokenOwn' | 'claimWaits'>,
): Promise<string | undefined> {
  const { token } = exchange;
  const shown = [claimWaits ? undefined : token, token?.selfContained?.beside].filter((one) => one !== undefined);
  await Promise.all(shown.map((one) => endIfAbroad(exchange, one, gateway.identity)));
  leave(gateway.identity, token, currentTokenOwn);
  const home = homeOf(gateway.identity, token);
  return claimWaits && home !== undefined && isAbroad(home) ? home.region : undefined;
}

async function endIfAbroad(exchange: Exchange, token: BrowserToken, identity: IdentityParts): Promise<void> {
  const home = homeOf(identity, token);
  if (home === undefined || !isAbroad(home)) return;
  const budgetMs = Math.min(endingBudgetMs, exchange.deadline.remainingMs());
  await home.auth.logout({ ...outgoing(exchange), budgetMs }, { token: token.text });
}
