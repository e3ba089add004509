/**
 * A payment provider as another company would run it. It has its own tables, transactions and time-outs. Its callbacks come twice, early or late. Its
 * decisions outlive every crash of the shop, and the shop learns of them only through the port. The means of payment decides which way a charge goes
 * (docs/orders.md).
 */
import type { Kysely } from 'kysely';
import type { Answer, CallbackListener, ChargeRequest, Outcome, PaymentProvider } from './payment-provider.ts';
import type { ProviderTables } from './payment-provider.tables.ts';

interface Behaviour {
  readonly outcome: 'captured' | 'declined';
  /** How often the provider still answers that it does not know its own outcome. The settler looks twice a round, a round each half second. */
  readonly looks: number;
  readonly callbackCount: number;
  /** The provider sends a callback before its answer too. */
  readonly early?: boolean;
}

const behaviours: Readonly<Record<string, Behaviour>> = {
  card_pays: { outcome: 'captured', looks: 0, callbackCount: 1 },
  card_declined: { outcome: 'declined', looks: 0, callbackCount: 1 },
  card_times_out_charged: { outcome: 'captured', looks: 6, callbackCount: 1 },
  card_times_out_uncharged: { outcome: 'declined', looks: 6, callbackCount: 1 },
  card_double_callback: { outcome: 'captured', looks: 0, callbackCount: 2, early: true },
};

/** A round of this size takes a few ms. */
const callbackBatchSize = 50;

export interface SimulatedProvider extends PaymentProvider {
  /** One round of the provider's own work: time-outs pass, and callbacks are delivered until the shop has taken them. */
  deliver(): Promise<void>;
}

export function openSimulatedProvider(options: {
  readonly db: Kysely<ProviderTables>;
  readonly random: (count: number) => Uint8Array;
}): SimulatedProvider {
  const { db, random } = options;
  const newChargeId = (): string => `ch_${Buffer.from(random(12)).toString('hex')}`;
  let tell: CallbackListener = () => Promise.resolve();
  return {
    methods: Object.keys(behaviours),
    async charge(request, signal) {
      const behaviour = behaviours[request.method];
      const { charge, first } = await decide(db, request, newChargeId(), behaviour);
      if (charge.looks_left > 0) return untilAborted(signal);
      const outcome = outcomeOf(charge);
      if (first && behaviour?.early === true) await tell(request.key, outcome);
      return outcome;
    },
    async find(key) {
      const charge = await db.selectFrom('provider_charges').selectAll().where('charge_key', '=', key).executeTakeFirst();
      if (charge === undefined) return { status: 'none' };
      if (charge.looks_left === 0) return outcomeOf(charge);
      await look(db, [key]);
      return { status: 'unknown' };
    },
    async close(key) {
      const { charge } = await decide(db, { key, amount: 0, currency: '' }, '', { outcome: 'declined', looks: 0, callbackCount: 0 });
      return outcomeOf(charge);
    },
    onCallback: (listener) => void (tell = listener),
    async deliver() {
      const callbacks = await db
        .selectFrom('provider_callbacks')
        .innerJoin('provider_charges', 'provider_charges.charge_key', 'provider_callbacks.charge_key')
        .select(['sequence', 'provider_charges.charge_key', 'charge_id', 'outcome', 'looks_left'])
        .orderBy('sequence')
        .limit(callbackBatchSize)
        .execute();
      await look(
        db,
        callbacks.filter((each) => each.looks_left > 0).map((each) => each.charge_key),
      );
      for (const callback of callbacks.filter((each) => each.looks_left === 0)) {
        await tell(callback.charge_key, outcomeOf(callback));
        // A crash before this line delivers the callback once more.
        await db.deleteFrom('provider_callbacks').where('sequence', '=', callback.sequence).execute();
      }
    },
  };
}

type Charge = Pick<ProviderTables['provider_charges'], 'charge_id' | 'outcome' | 'looks_left'>;

/** The key's row decides, once: the first caller writes it, and all others read it. */
async function decide(
  db: Kysely<ProviderTables>,
  { key, amount, currency }: Omit<ChargeRequest, 'method'>,
  chargeId: string,
  behaviour: Behaviour = { outcome: 'declined', looks: 0, callbackCount: 0 },
): Promise<{ readonly charge: Charge; readonly first: boolean }> {
  const { outcome, looks, callbackCount } = behaviour;
  return db.transaction().execute(async (trx) => {
    const made = await trx
      .insertInto('provider_charges')
      .values({ charge_key: key, charge_id: chargeId, amount, currency, outcome, looks_left: looks })
      .onConflict((conflict) => conflict.column('charge_key').doNothing())
      .returning(['charge_id', 'outcome', 'looks_left'])
      .executeTakeFirst();
    if (made === undefined) {
      const known = trx.selectFrom('provider_charges').select(['charge_id', 'outcome', 'looks_left']).where('charge_key', '=', key);
      return { charge: await known.executeTakeFirstOrThrow(), first: false };
    }
    const callbacks = Array.from({ length: callbackCount }, () => ({ charge_key: key }));
    if (callbacks.length > 0) await trx.insertInto('provider_callbacks').values(callbacks).execute();
    return { charge: made, first: true };
  });
}

async function look(db: Kysely<ProviderTables>, keys: readonly string[]): Promise<void> {
  if (keys.length === 0) return;
  await db
    .updateTable('provider_charges')
    .set((row) => ({ looks_left: row('looks_left', '-', 1) }))
    .where('charge_key', 'in', keys)
    .where('looks_left', '>', 0)
    .execute();
}

const outcomeOf = ({ outcome, charge_id: chargeId }: Pick<Charge, 'outcome' | 'charge_id'>): Outcome =>
  outcome === 'captured' ? { status: 'captured', chargeId } : { status: 'declined' };

function untilAborted(signal: AbortSignal): Promise<Answer> {
  return new Promise((resolve) => {
    const end = (): void => resolve({ status: 'unknown' });
    signal.addEventListener('abort', end, { once: true });
    if (signal.aborted) end();
  });
}
