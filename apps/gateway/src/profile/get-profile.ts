import { isProblem, type Problem, SessionState } from '@cloakroom/contracts';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { isFromAbroad, type ProfileRead, readProfileAbroad } from './profile-abroad.ts';
import { profileBody } from './profile-answer.ts';

export async function getProfile(exchange: Exchange, gateway: Pick<Gateway, 'profile'>): Promise<Outcome> {
  const person = personOf(exchange);
  const read = isFromAbroad(person) ? await readProfileAbroad(exchange, person) : await readHere(exchange, gateway);
  if (isProblem(read)) return read;
  const { profile, copy } = read;
  return { status: 200, body: { ...profileBody(profile, person.view.state === SessionState.USER), ...(copy && { copy }) } };
}

async function readHere(exchange: Exchange, gateway: Pick<Gateway, 'profile'>): Promise<ProfileRead | Problem> {
  const profile = await gateway.profile.getProfile(outgoing(exchange, personOf(exchange).passport), {});
  return isProblem(profile) ? profile : { profile };
}
