/** The table of the blast radius judges writes to a cart, with a body that cart would take: while cart is there, and while it is gone. */
import { randomBytes } from 'node:crypto';
import { uuidV7 } from '@cloakroom/contracts';
import type { ProductPage } from '@cloakroom/contracts/http';
import { plain, posted, sessionCookieOf, tokenIn } from '../kit/raw.ts';
import { expect, type Stage, test } from './stage.ts';

const trainee = 'blast-radius';

interface Row {
  readonly request: string;
  readonly promises: readonly string[];
  readonly observed?: { readonly count: number; readonly successPart: number };
  readonly agrees?: boolean;
}

async function cartWrites({ url, key }: Stage): Promise<Row> {
  const answer = await fetch(`${url}/api/blast-radius?mine=${trainee}`, { headers: { authorization: `Bearer ${key}` } });
  const { operations } = (await answer.json()) as { readonly operations: readonly Row[] };
  return operations.find(({ request }) => request === 'POST /api/cart/lines')!;
}

test('writes to a cart are judged by their promise, while cart is there and while it is gone', async ({ stage }) => {
  const [gateway] = stage.shop;
  const guest = await posted('/api/session/guest', {}, { gateway });
  const cookie = `${sessionCookieOf(tokenIn(guest)!)}; trainee=${trainee}`;
  const { items } = JSON.parse((await plain('/api/products?pageSize=50', { gateway })).body) as ProductPage;
  const productId = items.find(({ options }) => options.length === 0)!.productId;
  const write = async (): Promise<number> => {
    const commandId = uuidV7(Date.now(), randomBytes(10));
    return (await posted('/api/cart/lines', { productId, quantity: 1, commandId }, { gateway, headers: { cookie } })).status;
  };
  const judged = (wanted: Partial<Row>, status: number) =>
    expect(async () => {
      expect(await write()).toBe(status);
      expect(await cartWrites(stage)).toMatchObject(wanted);
    }).toPass({ timeout: 60_000, intervals: [500] });

  await judged({ promises: ['works'], agrees: true }, 202);
  const cart = stage.stack.process('cart');
  await cart.takeAway();
  try {
    await judged({ promises: [expect.stringContaining('503')] as unknown as string[], agrees: true }, 503);
    const { observed } = await cartWrites(stage);
    expect(observed!.successPart).toBeLessThan(1);
  } finally {
    await cart.giveBack();
  }
  await judged({ promises: ['works'], agrees: true }, 202);
});
