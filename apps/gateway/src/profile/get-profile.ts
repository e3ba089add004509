import { isProblem, SessionState } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { profileBody } from './profile-answer.ts';

export async function getProfile(exchange: Exchange, gateway: Pick<Gateway, 'profile'>): Promise<Outcome> {
  const person = personOf(exchange);
  const profile = await gateway.profile.getProfile(outgoing(exchange, person.passport), {});
  if (isProblem(profile)) return profile;
  return { status: 200, body: profileBody(profile, person.view.state === SessionState.USER) };
}
