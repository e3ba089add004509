import { isProblem, problem, SessionState } from '@cloakroom/contracts';
import type { z } from 'zod';
import { type Exchange, type Outcome, outgoing, personOf } from '../http-exchange.ts';
import type { Gateway } from '../gateway.ts';
import { isFromAbroad, type ProfileChange, updateProfileAbroad } from './profile-abroad.ts';
import { profileBody, type profilePatch } from './profile-answer.ts';

export async function updateProfile(
  exchange: Exchange,
  { body }: { readonly body: z.output<typeof profilePatch> },
  gateway: Pick<Gateway, 'profile'>,
): Promise<Outcome> {
  const person = personOf(exchange);
  const isUser = person.view.state === SessionState.USER;
  if (!isUser && (body.name !== undefined || body.addresses !== undefined)) return problem('sign_in_required');
  const change: ProfileChange = {
    ...(body.name !== undefined && { name: body.name }),
    ...(body.addresses !== undefined && {
      addresses: { items: body.addresses.map(({ addressId = '', line2 = '', ...address }) => ({ ...address, addressId, line2 })) },
    }),
    ...(body.preferences !== undefined && { preferences: { items: body.preferences } }),
  };
  const profile = isFromAbroad(person)
    ? await updateProfileAbroad(exchange, person, change)
    : await gateway.profile.updateProfile(outgoing(exchange, person.passport), change);
  return isProblem(profile) ? profile : { status: 200, body: profileBody(profile, isUser) };
}
