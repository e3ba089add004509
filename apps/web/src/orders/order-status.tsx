import type { Order } from '@cloakroom/contracts/http';
import { statusWord } from './order-words.ts';

export function OrderStatus({ order }: { readonly order: Pick<Order, 'status'> }) {
  const { word, tone } = statusWord(order);
  return <span className={`badge ${tone}`}>{word}</span>;
}

/** Enough of the id to tell a person's orders apart. It is the random end of the UUIDv7, because the start is the time. */
export const orderNumber = (orderId: string): string => orderId.replaceAll('-', '').slice(-8).toUpperCase();
