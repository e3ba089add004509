import {
  type Address,
  addressCountMax,
  addressLineLengthMax,
  countryPattern,
  nameLengthMax,
  postalCodeLengthMax,
  preferenceNameLengthMax,
  preferenceValueLengthMax,
  problem,
  type Problem,
  type UpdateProfileRequest,
} from '@cloakroom/contracts';
import type { PersonContext } from '@cloakroom/mesh';
import type { Transaction } from 'kysely';
import { lockProfile, preferenceCountMax, readProfile, type Database, type ProfileAnswer, type ProfileTables } from './profiles.ts';

export interface UpdateParts {
  readonly db: Database;
  readonly nowMs: () => number;
  /** A fresh, unguessable id. */
  readonly newId: () => string;
}

/** Replaces the fields that the request names, all or none of them. */
export async function updateProfile(
  { db, nowMs, newId }: UpdateParts,
  ctx: PersonContext,
  request: UpdateProfileRequest,
): Promise<ProfileAnswer | Problem> {
  const { subject, state } = ctx.identity;
  if (state !== 'user' && (request.name !== undefined || request.addresses !== undefined)) return problem('sign_in_required');
  const wrong = firstMistake(request);
  if (wrong !== undefined) return problem('invalid_request', wrong);
  const addresses = request.addresses?.items;
  const preferences = request.preferences && Object.entries(request.preferences.items);
  if ((addresses?.length ?? 0) > addressCountMax) return problem('limit_exceeded', `At most ${addressCountMax} addresses.`);
  if ((preferences?.length ?? 0) > preferenceCountMax) return problem('limit_exceeded', `At most ${preferenceCountMax} preferences.`);

  return db.transaction().execute(async (trx) => {
    const { joinedTo } = await lockProfile(trx, subject, nowMs());
    // The guest has become a user and their session is over, so no later request could read this write.
    if (joinedTo !== '') return problem('session_ended');
    if (request.name !== undefined)
      await trx.updateTable('profiles').set({ name: request.name.trim() }).where('subject', '=', subject).execute();
    if (addresses) await replaceAddresses(trx, subject, addresses, newId);
    if (preferences) {
      await trx.deleteFrom('preferences').where('subject', '=', subject).execute();
      const rows = preferences.map(([key, value]) => ({ subject, key, value }));
      if (rows.length > 0) await trx.insertInto('preferences').values(rows).execute();
    }
    return readProfile(trx, subject);
  });
}

/** The server makes the ids. An id that is not this person's makes a new address: it was removed on another device, or invented. */
async function replaceAddresses(
  trx: Transaction<ProfileTables>,
  subject: string,
  items: readonly Address[],
  newId: () => string,
): Promise<void> {
  const old = await trx.deleteFrom('addresses').where('subject', '=', subject).returning('address_id').execute();
  const known = new Set(old.map((row) => row.address_id));
  const rows = items.map((item, position) => ({
    // An id is used once: the same id a second time makes another address.
    address_id: known.delete(item.addressId) ? item.addressId : newId(),
    subject,
    position,
    name: item.name,
    line1: item.line1,
    line2: item.line2,
    city: item.city,
    postal_code: item.postalCode,
    country: item.country,
  }));
  if (rows.length > 0) await trx.insertInto('addresses').values(rows).execute();
}

/** @returns the first wrong field, and the form it must have */
function firstMistake({ name, addresses, preferences }: UpdateProfileRequest): string | undefined {
  if (name !== undefined && !fits(name, 1, nameLengthMax)) return `name: 1 to ${nameLengthMax} characters`;
  for (const address of addresses?.items ?? []) {
    for (const field of ['name', 'line1', 'city'] as const)
      if (!fits(address[field], 1, addressLineLengthMax)) return `addresses: ${field}: 1 to ${addressLineLengthMax} characters`;
    if (!fits(address.line2, 0, addressLineLengthMax)) return `addresses: line2: at most ${addressLineLengthMax} characters`;
    if (!fits(address.postalCode, 1, postalCodeLengthMax)) return `addresses: postalCode: 1 to ${postalCodeLengthMax} characters`;
    if (!countryPattern.test(address.country)) return 'addresses: country: two letters, ISO 3166-1';
  }
  for (const [key, value] of Object.entries(preferences?.items ?? {})) {
    if (!fits(key, 1, preferenceNameLengthMax)) return `preferences: a name has 1 to ${preferenceNameLengthMax} characters`;
    if (!fits(value, 0, preferenceValueLengthMax)) return `preferences: a value has at most ${preferenceValueLengthMax} characters`;
  }
  return undefined;
}

const fits = (text: string, lengthMin: number, max: number): boolean => text.length <= max && text.trim().length >= lengthMin;
