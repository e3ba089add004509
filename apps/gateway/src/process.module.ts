/** The process gives configuration, clock and logs to every module. This module opens first, and closes last. */
import type { Logger } from '@cloakroom/platform';
import { type DynamicModule, Global, Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { type EventLog, eventLogOf } from '@cloakroom/event-log';
import type { GatewayConfig } from './config.ts';
import type { GatewayParts } from './gateway.ts';
import { clockToken, configToken, eventLogToken, logToken, partsToken } from './injection.ts';

/** Nest only logs what a shutdown hook throws, to a log that is off here. So a part that cannot close is told in ours. */
export async function closePart(log: Logger, part: string, close: () => void | Promise<void>): Promise<void> {
  try {
    await close();
  } catch (error) {
    log.error({ err: error }, `failed to close ${part}`);
  }
}

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
    if (this.parts.eventLog === undefined) await closePart(this.parts.log, 'the event log', () => this.eventLog.close());
  }
}
