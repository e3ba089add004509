import { randomUUID } from 'node:crypto';
import { Inject, Injectable } from '@nestjs/common';
import type { ProfileService } from '@cloakroom/contracts';
import { type Parts } from '@cloakroom/event-log';
import { type Handlers, person } from '@cloakroom/mesh';
import { getProfile } from './get-profile.ts';
import { databaseToken, partsToken } from './injection.ts';
import type { Database } from './profiles.ts';
import { recordView } from './record-view.ts';
import { updateProfile } from './update-profile.ts';

/** The table of contents of profile: one line per rpc. */
@Injectable()
export class ProfileController {
  readonly handlers: Handlers<typeof ProfileService>;

  constructor(@Inject(databaseToken) db: Database, @Inject(partsToken) { clock }: Parts) {
    const nowMs = (): number => clock.nowMs();
    this.handlers = {
      getProfile: (ctx) => getProfile(db, person(ctx)),
      updateProfile: (ctx, request) => updateProfile({ db, nowMs, newId: randomUUID }, person(ctx), request),
      recordView: (ctx, request) => recordView(db, person(ctx), request, nowMs()),
    };
  }
}
