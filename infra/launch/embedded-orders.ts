/** The orders of the embedded process. It reads this file alone: the launcher's other files would cost each start a tenth of a second. */
import type { AppSpec } from '../stack/stack.ts';

export const embeddedAppsVariable = 'CLOAKROOM_EMBEDDED';

/** They hold the MAC key, so they come by the environment and never by arguments. */
export interface EmbeddedOrders {
  readonly apps: readonly Pick<AppSpec, 'app' | 'env'>[];
  readonly eventLogFile: string;
  /** Calls within the process carry it, in place of certificates. */
  readonly meshSecret: string;
}
