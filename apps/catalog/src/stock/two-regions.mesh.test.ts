/** The catalogs of two regions in one process, over gRPC, and a network between them that is cut or loses answers. */
import { randomBytes } from 'node:crypto';
import { CatalogService, isProblem, uuidV7 } from '@cloakroom/contracts';
import { connectMesh } from '@cloakroom/mesh';
import { createLogger, type Running, startTrace, systemClock } from '@cloakroom/platform';
import { freshDatabaseUrl, openTcpProxy } from '@cloakroom/testing';
import { afterEach, expect, it, vi } from 'vitest';
import { readConfig, start } from '../catalog.module.ts';

const log = createLogger('test', 'silent');
const closing: (() => Promise<unknown> | void)[] = [];
afterEach(async () => {
  for (const close of closing.splice(0).toReversed()) await close();
});
/** A machine that is busy elsewhere may miss the time of a call. */
const patience = { timeout: 60_000 };
const call = () => ({ budgetMs: 10_000, trace: startTrace(randomBytes) });

async function startCatalog(env: Record<string, string>) {
  const given = { REPLICA: '1', LISTEN_PORT: '0', ADMIN_PORT: '0', MESH_TLS: 'off', AUTH_ADDRESS: 'localhost:1', ...env };
  const running: Running = await start(readConfig({ DATABASE_URL: await freshDatabaseUrl(), ...given }), { log, clock: systemClock });
  const address = `localhost:${running.url.split(':')[1]}`;
  const { client, close } = connectMesh(CatalogService, { address, tls: undefined, log });
  closing.push(() => running.stop(), close);
  const read = async () => {
    const found = await client.getProducts(call(), { productIds: ['document-case'] });
    if (isProblem(found)) throw new Error(found.problem);
    return { stock: found.items[0]!.stock, heard: found.items[0]!.stockHeardAtMs === 0n };
  };
  /** @returns how much is left of it, where that is too little */
  const order = async (quantity: number): Promise<number | undefined> => {
    const request = { orderId: uuidV7(Date.now(), randomBytes(10)), items: [{ productId: 'document-case', quantity }] };
    for (;;) {
      const answer = await client.reserveStock(call(), request);
      // An answer that came too late is asked for again under the same id.
      if (!isProblem(answer)) return answer.short[0]?.quantity;
      if (answer.problem !== 'deadline_exceeded' && answer.problem !== 'unavailable') throw new Error(answer.problem);
      // An open breaker answers at once: without a pause no timer would ever run.
      await new Promise((resolve) => setTimeout(resolve, 50));
    }
  };
  return { port: Number(running.url.split(':')[1]), read, order };
}

it('two regions sell one stock; the share alone is sold while the decider is out of reach', { timeout: 240_000 }, async () => {
  const eu = await startCatalog({ REGION: 'eu' });
  const ocean = await openTcpProxy({ port: eu.port, protocol: 'any' });
  closing.push(() => ocean.close());
  const us = await startCatalog({ REGION: 'us', STOCK_DECIDER: `eu=${ocean.address}` });
  const shows = (stock: number, heard = true) => vi.waitFor(async () => expect(await us.read()).toEqual({ stock, heard }), patience);
  /** While the decider answers late, the share decides, and a person orders again. */
  const sells = (quantity: number) => vi.waitFor(async () => expect(await us.order(quantity)).toBeUndefined(), patience);
  await shows(16);
  await sells(8);
  await shows(8);
  // The share is filled again within two seconds. A cut may come before that, and is healed then.
  let share = 0;
  // Late answers may have brought it everything. Then some of it goes back.
  for (; share === 0 || share >= 8; share = (await us.read()).stock) {
    ocean.mend();
    await shows(8);
    ocean.cut();
    await vi.waitFor(async () => expect(await us.read()).toMatchObject({ heard: false }), patience);
  }
  expect(await us.order(share + 1)).toBe(share);
  expect(await us.order(share)).toBeUndefined();
  expect(await us.order(1)).toBe(0);

  // Answers of eu die: what it grants arrives after the heal.
  ocean.mend();
  ocean.mute();
  expect(await us.order(1)).toBe(0);
  ocean.mend();
  await shows(8 - share);
  await sells(8 - share);
  await shows(0);
  expect(await us.order(1)).toBe(0);
  expect(await eu.order(1)).toBe(0);
});
