import type { Order } from '@cloakroom/contracts/http';

/** The cards of the simulated provider. Each shows another way in which a payment may end. */
export const paymentMethods = [
  { method: 'card_pays', name: 'Card that pays', what: 'answers at once.' },
  { method: 'card_declined', name: 'Card that is declined', what: 'nothing is charged, and you choose another.' },
  { method: 'card_times_out_charged', name: 'Card that answers late, and paid', what: 'the order waits until it is known.' },
  { method: 'card_times_out_uncharged', name: 'Card that answers late, and did not pay', what: 'the order is cancelled once it is known.' },
  {
    method: 'card_double_callback',
    name: 'Card that reports twice',
    what: 'pays at once, then says so again. The second report changes nothing.',
  },
] as const;
export type PaymentMethod = (typeof paymentMethods)[number]['method'];

/** Names the card. The card that reports twice leaves no other trace, because its second report changes nothing. */
export function paidWithWords({ paymentMethod, status }: Pick<Order, 'paymentMethod' | 'status'>): string {
  const name = paymentMethods.find(({ method }) => method === paymentMethod)?.name ?? paymentMethod;
  const said = `Payment: ${name}.`;
  return paymentMethod === 'card_double_callback' && status === 'placed' ? `${said} It was charged once, however often it says so.` : said;
}
