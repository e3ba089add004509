import {
  addressCountMax,
  addressLineLengthMax,
  countryPattern,
  nameLengthMax,
  postalCodeLengthMax,
  preferenceNameLengthMax,
  preferenceValueLengthMax,
  type Profile,
} from '@cloakroom/contracts';
import { z } from 'zod';
import { words } from '../words.ts';

const line = words(addressLineLengthMax);
const addressFields = {
  name: line,
  line1: line,
  line2: z.string().trim().max(addressLineLengthMax).optional(),
  city: line,
  postalCode: words(postalCodeLengthMax),
  country: z.string().regex(countryPattern, 'two letters, ISO 3166-1').meta({ description: 'ISO 3166-1 alpha-2.' }),
};

const preferences = z.record(z.string().min(1).max(preferenceNameLengthMax), z.string().max(preferenceValueLengthMax));

export const profilePatch = z
  .object({
    name: words(nameLengthMax).optional(),
    addresses: z
      .array(
        z.object({
          addressId: z.string().max(64).optional().meta({ description: 'Absent in a new address: the server gives it.' }),
          ...addressFields,
        }),
      )
      .max(addressCountMax)
      .optional(),
    preferences: preferences.optional(),
  })
  .meta({ description: 'Replaces the fields that it names. A guest has preferences only.' });

const addressSchema = z
  .object({
    addressId: z.string(),
    name: z.string(),
    line1: z.string(),
    line2: z.string().optional(),
    city: z.string(),
    postalCode: z.string(),
    country: z.string().meta({ description: 'ISO 3166-1 alpha-2.' }),
  })
  .meta({ id: 'Address' });

export const profileSchema = z
  .object({
    name: z.string().optional(),
    email: z.string().optional(),
    addresses: z.array(addressSchema).optional(),
    preferences: z.record(z.string(), z.string()),
    recentlyViewed: z.array(z.string()).meta({ description: 'Product ids, newest first.' }),
    copy: z
      .object({ home: z.string(), ageMs: z.int().min(0) })
      .optional()
      .meta({ description: 'Present where the home region is out of reach: this is what it said so long ago.' }),
  })
  .meta({ id: 'Profile' });

/** A guest's has preferences and recently viewed products only. */
export function profileBody(profile: Profile, isUser: boolean): z.output<typeof profileSchema> {
  const open = { preferences: { ...profile.preferences }, recentlyViewed: [...profile.recentlyViewed] };
  if (!isUser) return open;
  return {
    name: profile.name,
    email: profile.email,
    addresses: profile.addresses.map(({ addressId, name, line1, line2, city, postalCode, country }) => ({
      addressId,
      name,
      line1,
      ...(line2 !== '' && { line2 }),
      city,
      postalCode,
      country,
    })),
    ...open,
  };
}
