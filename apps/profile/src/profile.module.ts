/** All wiring of profile. */
import { type DynamicModule, Module, type Provider } from '@nestjs/common';
import { type EventLog, eventLogOf, type Parts } from '@cloakroom/event-log';
import { openDatabase } from '@cloakroom/platform';
import type { ProfileConfig } from './config.ts';
import { configToken, databaseToken, eventLogToken, partsToken } from './injection.ts';
import { ProfileController } from './profile.controller.ts';
import { migrations, type ProfileTables } from './profiles.ts';

const storage: Provider[] = [
  {
    provide: databaseToken,
    inject: [configToken, partsToken],
    useFactory: (config: ProfileConfig, { log }: Parts) =>
      openDatabase<ProfileTables>(config.DATABASE_URL, migrations, { name: 'profile', log, password: config.DATABASE_PASSWORD }),
  },
  {
    provide: eventLogToken,
    inject: [configToken, partsToken],
    useFactory: (config: ProfileConfig, parts: Parts): Promise<EventLog> => eventLogOf('profile', config, parts),
  },
];

@Module({})
export class ProfileModule {
  static with(config: ProfileConfig, parts: Parts): DynamicModule {
    const given: Provider[] = [
      { provide: configToken, useValue: config },
      { provide: partsToken, useValue: parts },
    ];
    return { module: ProfileModule, providers: [...given, ...storage, ProfileController] };
  }
}
