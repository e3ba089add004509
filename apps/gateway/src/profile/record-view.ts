import { isProblem } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';

/** Only where a session exists: looking at a product never begins one. */
export async function recordView(
  exchange: Exchange,
  { params }: { readonly params: { readonly productId: string } },
  gateway: Pick<Gateway, 'profile'>,
): Promise<Outcome> {
  const { person } = exchange;
  if (person === undefined) return { status: 204 };
  const profiles = person.home?.profile ?? gateway.profile;
  const recorded = await profiles.recordView(outgoing(exchange, person.passport), { productId: params.productId });
  return isProblem(recorded) ? recorded : { status: 204 };
}
