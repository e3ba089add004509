/** The metrics of this service. No label names a person or a cart. */
import { metrics } from '@cloakroom/platform';
import { Counter } from 'prom-client';

const registers = [metrics];

export const commandsAppended = new Counter({
  name: 'cart_commands_appended_total',
  help: 'Events appended to the log, by type',
  labelNames: ['type'],
  registers,
});
export const commandsUnchecked = new Counter({
  name: 'cart_commands_unchecked_total',
  help: 'Commands accepted without a look at the limits, because the view did not answer',
  registers,
});
export const recordsProjected = new Counter({ name: 'cart_records_projected_total', help: 'Records applied to the view', registers });
export const realignments = new Counter({
  name: 'cart_view_realignments_total',
  help: 'Times a partition was found elsewhere than its watermark, by what was done',
  labelNames: ['how'],
  registers,
});
export const deadLetters = new Counter({ name: 'cart_dead_letters_total', help: 'Records that no reader could apply', registers });
export const claims = new Counter({
  name: 'cart_claims_total',
  help: 'Claims of guest carts, by outcome',
  labelNames: ['outcome'],
  registers,
});
export const guestJoins = new Counter({ name: 'cart_guest_joins_total', help: 'Guest states forwarded to a user cart', registers });
export const ordersHeard = new Counter({
  name: 'cart_orders_heard_total',
  help: 'Confirmed orders taken out of their carts, by outcome; one heard twice counts twice',
  labelNames: ['outcome'],
  registers,
});
export const snapshotsWritten = new Counter({ name: 'cart_snapshots_written_total', help: 'Snapshots appended', registers });
export const staleReads = new Counter({
  name: 'cart_stale_reads_total',
  help: 'Reads answered stale, by reason',
  labelNames: ['reason'],
  registers,
});
