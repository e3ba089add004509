/**
 * A shop that people used when its build was an older one: `shop-of-before.tar.gz` is its data folder, and `shop-of-before.json` says who they are. The
 * secrets in both are of this test alone: no other shop ever had them.
 */
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { PlaywrightWorkerArgs, request } from '@playwright/test';
import { becomeRegion, endLeftovers, isAlive, readState, type RegionName } from '@cloakroom/infra';
import { Device, type Person } from '../kit/device.ts';
import { moveEvents, moveRows, moveSessions } from './move-times.ts';

type Cookies = Awaited<ReturnType<Awaited<ReturnType<typeof request.newContext>>['storageState']>>;
export type Quantities = Readonly<Record<string, number>>;

export interface ShopOfBefore {
  readonly about: string;
  /** The commit whose build wrote the data. */
  readonly commit: string;
  /** When it was stopped. */
  readonly stoppedAtMs: number;
  /** A person with sessions of two kinds, and one that the person ended from another device. eu decides the address. */
  readonly robin: Person & {
    readonly hybrid: Cookies;
    readonly selfContained: Cookies;
    readonly ended: Cookies;
    /** In part from a guest's cart that was claimed. */
    readonly cart: Quantities;
    readonly placed: string;
    readonly cancelled: string;
    readonly profileName: string;
    readonly city: string;
  };
  /** A person with an authenticator app. us decides the address. */
  readonly kim: Person & { readonly totpSecret: string; readonly recoveryCode: string; readonly cart: Quantities };
  readonly guest: { readonly cookies: Cookies; readonly cart: Quantities };
}

const archive = join(import.meta.dirname, 'shop-of-before.tar.gz');
const manifest = join(import.meta.dirname, 'shop-of-before.json');

export const shopOfBefore = (): ShopOfBefore => JSON.parse(readFileSync(manifest, 'utf8')) as ShopOfBefore;

/** The browser of one of them. Its access token is over: it had five minutes. */
export async function deviceOf({ request }: PlaywrightWorkerArgs['playwright'], { cookies, origins }: Cookies): Promise<Device> {
  const lasting = cookies.filter(({ name }) => name !== '__Host-access').map((cookie) => ({ ...cookie, expires: -1 }));
  return new Device(await request.newContext({ storageState: { cookies: lasting, origins } }));
}

/** The parts of a data folder that outlive a stop. */
const kept = ['db', 'kafka/log', 'key-encryption.key', 'redis-carts', 'redis-sessions', 'refresh-token.key', 'session-mac.key', 'tls'];
/** Kafka makes its indexes of times anew: they would name the times that move. */
const remade = ['*.timeindex', '.lock'];

export function keep(dataDir: string, shop: ShopOfBefore): void {
  const left = remade.map((pattern) => `--exclude=${pattern}`);
  execFileSync('tar', ['-czf', archive, ...left, '-C', dataDir, ...kept]);
  writeFileSync(manifest, `${JSON.stringify(shop, undefined, 2)}\n`);
}

/** Makes this folder the data folder of that shop, as if it had been stopped a moment ago. @param region the one of two that the shop becomes */
export async function layOut(dataDir: string, region?: RegionName): Promise<void> {
  const alone = region === undefined ? dataDir : `${dataDir}-before`;
  for (const folder of new Set([alone, dataDir])) await empty(folder);
  mkdirSync(alone, { recursive: true, mode: 0o700 });
  execFileSync('tar', ['-xzmf', archive, '-C', alone]);
  const byMs = Date.now() - shopOfBefore().stoppedAtMs;
  moveSessions(alone, byMs);
  moveEvents(alone, byMs);
  moveRows(alone, byMs);
  if (region !== undefined) becomeRegion(alone, dataDir, region);
}

/** A run that was killed may have left processes behind, which only the folder's state names. */
async function empty(folder: string): Promise<void> {
  const earlier = existsSync(folder) ? readState(folder) : undefined;
  if (earlier !== undefined && isAlive(earlier.supervisor)) throw new Error(`a shop runs in ${folder}: end that run first`);
  if (earlier !== undefined) await endLeftovers(earlier);
  rmSync(folder, { recursive: true, force: true });
}
