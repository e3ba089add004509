/** The process gives configuration, clock and logs to every module. This module opens first, and closes last. */
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type EventLog, eventLogOf } from '@cloakroom/event-log';
import type { GatewayConfig } from './config.ts';
import type { GatewayParts } from './gateway.ts';
import { clockToken, configToken, eventLogToken, logToken, partsToken } from './injection.ts';

const shared = [partsToken, configToken, logToken, clockToken, eventLogToken];

@Global()
@Module({})
export class ProcessModule implements OnApplicationShutdown {
  constructor(
    @Inject(partsToken) private readonly parts: GatewayParts,
    @Inject(eventLogToken) private readonly eventLog: EventLog,
  ) {}

  static with(config: GatewayConfig, parts: GatewayParts): DynamicModule {
    return {
      module: ProcessModule,
      providers: [
        { provide: partsToken, useValue: parts },
        { provide: configToken, useValue: config },
        { provide: logToken, useValue: parts.log },
        { provide: clockToken, useValue: parts.clock },
        { provide: eventLogToken, useFactory: () => eventLogOf('gateway', config, parts) },
      ],
      exports: shared,
    };
  }

  async onApplicationShutdown(): Promise<void> {
    // An event log that was given is shared with others, and closed by its owner.
    if (this.parts.eventLog === undefined) await this.eventLog.close();
  }
}
