import type { Database } from './orders.ts';
import type { PaymentProvider } from './payment-provider.ts';

export function openSimulatedProvider(_: { readonly db: Database; readonly random: (count: number) => Uint8Array }): PaymentProvider {
  return {
    methods: ['card_pays'],
    charge: () => Promise.resolve({ status: 'unknown' }),
    find: () => Promise.resolve({ status: 'none' }),
    close: () => Promise.resolve({ status: 'declined' }),
    onCallback: () => undefined,
  };
}
