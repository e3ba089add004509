/** The use cases of this service take these as arguments: ports, the clock and randomness. */
import { uuidV7, type CartService, type CatalogService, type ProfileService } from '@cloakroom/contracts';
import type { TokenExchange } from '@cloakroom/identity';
import type { MeshClient } from '@cloakroom/mesh';
import type { Clock, Logger } from '@cloakroom/platform';
import type { Database } from './orders.ts';
import type { PaymentProvider } from './payments/payment-provider.ts';

export interface OrdersParts {
  readonly db: Database;
  readonly clock: Clock;
  readonly log: Logger;
  /** Unguessable bytes. */
  readonly random: (count: number) => Uint8Array;
  readonly cart: Pick<MeshClient<typeof CartService>, 'prepareOrder'>;
  readonly profile: Pick<MeshClient<typeof ProfileService>, 'getProfile'>;
  readonly catalog: Pick<MeshClient<typeof CatalogService>, 'getProducts' | 'reserveStock' | 'releaseStock'>;
  readonly exchange: Pick<TokenExchange, 'exchangeFor'>;
  readonly payments: PaymentProvider;
  /** How long a charge waits for the provider. After that its answer is unknown. */
  readonly chargeWaitMs: number;
  /** Tells the background worker that this process has committed an event for others. */
  readonly committed: () => void;
}

export const newId = ({ clock, random }: Pick<OrdersParts, 'clock' | 'random'>): string => uuidV7(clock.nowMs(), random(10));
