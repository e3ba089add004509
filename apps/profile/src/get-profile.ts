import type { PersonContext } from '@cloakroom/mesh';
import { readProfile, type Database, type ProfileAnswer } from './profiles.ts';

/**
 * The caller's own profile: no request can name another's. A guest has preferences and recently viewed products only, since nothing else is ever
 * stored.
 */
export function getProfile(db: Database, ctx: PersonContext): Promise<ProfileAnswer> {
  return readProfile(db, ctx.identity.subject);
}
