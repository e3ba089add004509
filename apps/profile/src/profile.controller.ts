import { randomUUID } from 'node:crypto';
import { Controller, Inject } from '@nestjs/common';
import { ProfileService, type RecordViewRequest, type UpdateProfileRequest } from '@cloakroom/contracts';
import { person, processToken, type RequestContext, Rpc, type Rpcs, type ServiceProcess } from '@cloakroom/mesh';
import { getProfile } from './get-profile.ts';
import { databaseToken } from './injection.ts';
import type { Database } from './profiles.ts';
import { recordView } from './record-view.ts';
import { updateProfile } from './update-profile.ts';

/** The table of contents of profile: one line per rpc. */
@Controller()
export class ProfileController implements Rpcs<typeof ProfileService> {
  private readonly nowMs = (): number => this.process.clock.nowMs();

  constructor(
    @Inject(databaseToken) private readonly db: Database,
    @Inject(processToken) private readonly process: ServiceProcess,
  ) {}

  @Rpc(ProfileService.method.getProfile)
  getProfile(ctx: RequestContext) {
    return getProfile(this.db, person(ctx));
  }

  @Rpc(ProfileService.method.updateProfile)
  updateProfile(ctx: RequestContext, request: UpdateProfileRequest) {
    return updateProfile({ db: this.db, nowMs: this.nowMs, newId: randomUUID }, person(ctx), request);
  }

  @Rpc(ProfileService.method.recordView)
  recordView(ctx: RequestContext, request: RecordViewRequest) {
    return recordView(this.db, person(ctx), request, this.nowMs());
  }
}
