/**
 * Loaded first into the embedded process (`preload` of the harness). While `globalThis.deliveriesHeld` is a promise, handlers of the cart's log wait
 * for it. So a request can be looked at without the work that its record causes afterwards. The revocation feed goes on, because a gateway that hears
 * nothing for two seconds asks auth for everybody.
 */
import { topics } from '@cloakroom/contracts';
import { type EventLog, openEventLog, type SubscribeOptions } from '@cloakroom/event-log';
import { createLogger, systemClock } from '@cloakroom/platform';

const log = await openEventLog({ kind: 'embedded', log: createLogger('fixture', 'silent'), clock: systemClock });
const embedded = Object.getPrototypeOf(log) as EventLog;
await log.close();

const subscribe = Object.getOwnPropertyDescriptor(embedded, 'subscribe')!.value as EventLog['subscribe'];
embedded.subscribe = function (this: EventLog, options: SubscribeOptions) {
  if (!options.topics.some(({ name }) => name === topics.cartEvents.name)) return subscribe.call(this, options);
  const handler: SubscribeOptions['handler'] = async (batch, control) => {
    await (globalThis as { deliveriesHeld?: Promise<void> }).deliveriesHeld;
    await options.handler(batch, control);
  };
  return subscribe.call(this, { ...options, handler });
};
