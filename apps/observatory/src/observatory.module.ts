/** The Observatory, as what it is made of. */
import { type DynamicModule, Module, type OnApplicationShutdown } from '@nestjs/common';
import { APP_FILTER, APP_GUARD } from '@nestjs/core';
import type { ProcessParts } from '@cloakroom/platform/process-life';
import { CartLogs, cartLogSourceOf } from './carts/cart-log.ts';
import { CartsController } from './carts/carts.controller.ts';
import type { ObservatoryConfig } from './config.ts';
import { BlastController } from './blast/blast.controller.ts';
import { HealthController } from './edge/health.controller.ts';
import { KeyGuard } from './edge/key.guard.ts';
import { RefusalFilter } from './edge/refusal.filter.ts';
import { RequestRules } from './edge/request-rules.ts';
import { FaultsController, SwitchesController } from './faults/faults.controller.ts';
import { FaultSwitches } from './faults/fault-switches.ts';
import { ForgeriesController, forgerToken } from './forgeries/forgeries.controller.ts';
import { openForger } from './forgeries/forger.ts';
import { shopAccessOf } from './forgeries/shop-access.ts';
import { clockToken, configToken, logToken, oceanToken } from './injection.ts';
import { LabPrograms, labSourceOf } from './labs/lab-programs.ts';
import { LabRuns } from './labs/lab-runs.ts';
import { LabRunController, LabsController } from './labs/labs.controller.ts';
import { LiveController } from './live/live.controller.ts';
import { LiveLines } from './live/live-lines.ts';
import { PlacesController } from './places/places.controller.ts';
import { SlotsController } from './places/slots.controller.ts';
import { RecentRequests } from './spans/recent-requests.ts';
import { RequestsController } from './spans/requests.controller.ts';
import { SessionsController } from './spans/sessions.controller.ts';
import { SpanStore } from './spans/span-store.ts';
import { SpansController } from './spans/spans.controller.ts';
import { type OceanDoor, oceanAt } from './stack/ocean-door.ts';
import { OceanController } from './stack/ocean.controller.ts';
import { StackController } from './stack/stack.controller.ts';
import { StackWatch } from './stack/stack-watch.ts';
import { type Channel, SupervisorLink } from './stack/supervisor-link.ts';

export interface ObservatoryParts extends ProcessParts {
  /** To the supervisor; undefined where none started this process. */
  readonly channel: Channel | undefined;
}

@Module({})
export class ObservatoryModule implements OnApplicationShutdown {
  constructor(
    private readonly lines: LiveLines,
    private readonly requests: RecentRequests,
    private readonly link: SupervisorLink,
    private readonly switches: FaultSwitches,
    private readonly runs: LabRuns,
  ) {}

  static with(config: ObservatoryConfig, { log, clock, channel }: ObservatoryParts): DynamicModule {
    return {
      module: ObservatoryModule,
      controllers: [
        HealthController,
        SpansController,
        StackController,
        OceanController,
        RequestsController,
        SessionsController,
        CartsController,
        LiveController,
        BlastController,
        PlacesController,
        SlotsController,
        FaultsController,
        SwitchesController,
        ForgeriesController,
        LabsController,
        LabRunController,
      ],
      providers: [
        { provide: configToken, useValue: config },
        { provide: logToken, useValue: log },
        { provide: clockToken, useValue: clock },
        KeyGuard,
        { provide: APP_GUARD, useExisting: KeyGuard },
        { provide: APP_FILTER, useClass: RefusalFilter },
        RequestRules,
        { provide: SpanStore, useFactory: () => new SpanStore(() => clock.nowMs()) },
        { provide: SupervisorLink, useFactory: () => new SupervisorLink(channel) },
        {
          provide: forgerToken,
          inject: [SpanStore],
          useFactory: (spans: SpanStore) => openForger({ shop: () => shopAccessOf(config), spans, clock, log }),
        },
        { provide: CartLogs, useFactory: () => new CartLogs(cartLogSourceOf(config)) },
        { provide: LabPrograms, useFactory: () => new LabPrograms(labSourceOf(config)) },
        { provide: LabRuns, inject: [LabPrograms], useFactory: (programs: LabPrograms) => new LabRuns(programs, () => clock.nowMs()) },
        { provide: FaultSwitches, useFactory: () => new FaultSwitches(clock) },
        { provide: oceanToken, useFactory: () => oceanAt(config) },
        {
          provide: StackWatch,
          inject: [SupervisorLink, oceanToken],
          useFactory: (link: SupervisorLink, ocean: OceanDoor) => new StackWatch(link, ocean),
        },
        { provide: RecentRequests, inject: [SpanStore], useFactory: (store: SpanStore) => new RecentRequests(store) },
        {
          provide: LiveLines,
          inject: [StackWatch, SupervisorLink, SpanStore, RecentRequests, RequestRules, clockToken],
          useFactory: (...parts: ConstructorParameters<typeof LiveLines>) => new LiveLines(...parts),
        },
      ],
    };
  }

  onApplicationShutdown(): void {
    this.lines.stop();
    this.requests.stop();
    this.link.stop();
    this.switches.stop();
    this.runs.close();
  }
}
