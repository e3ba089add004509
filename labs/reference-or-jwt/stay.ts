/** The same shop for a person to try: two gateways, every mode at the sign-in, and a store as far away as the arm says. */
import { join } from 'node:path';
import { openTcpProxy } from '@cloakroom/testing';
import type { TokenModeName } from '@cloakroom/contracts';
import { dataRoot } from '../../infra/stack/folders.ts';
import { startStack } from '../../infra/launch/harness.ts';
import { portsOf } from '../../infra/stack/stack.ts';
import type { Opened } from '../runner/lab.ts';

/** Long enough to sign in at one window and end the session at the other, short enough to wait for. */
const tokenLifeS = 60;

export async function stayOpen({ mode, rttMs }: { readonly mode: TokenModeName; readonly rttMs: number }, base: number): Promise<Opened> {
  const proxy = await openTcpProxy({ port: portsOf(base).redisSessions, protocol: 'any' });
  try {
    const shop = await startStack({
      provider: 'native',
      base,
      dataDir: join(dataRoot, 'lab-reference-or-jwt'),
      fresh: true,
      telemetry: {},
      sessionModes: 'reference,hybrid,jwt-denylist,jwt',
      accessTokenLifetimeMs: tokenLifeS * 1_000,
      storageUrls: { SESSION_REDIS_URL: `redis://${proxy.address}` },
    });
    proxy.delay(rttMs, 'answers');
    const stop = async (): Promise<void> => {
      await shop.stop();
      await proxy.close();
    };
    return { says: guide(mode, rttMs, shop.gateways), stop };
  } catch (error) {
    await proxy.close();
    throw error;
  }
}

const endsWith: Readonly<Record<TokenModeName, string>> = {
  reference: 'Window 1 is signed out at its next click. Every click asked auth, and waited for the store.',
  hybrid: 'Window 1 is signed out at its next click. Before, the bar said "cache hit", and no click waited for the store.',
  'jwt-denylist': 'Window 1 is signed out at its next click. Before, the bar said "verified here".',
  jwt: `Window 1 goes on as Ada, "verified here", for up to ${tokenLifeS} s. Only what is sensitive, as Devices, is refused at once.`,
};

/** @param gateways their addresses */
export function guide(mode: TokenModeName, rttMs: number, [one, two]: readonly string[]): string {
  return `The session store is ${rttMs} ms away. Access tokens live for ${tokenLifeS} s.

1. Window 1: ${one}/sign-in. Open "Session mode (for study)", choose ${mode}, and sign in
   as ada@example.com with: correct horse battery staple
   Look at some products. The bar at the foot says how you were recognised, and how long it took.
2. Window 2, a private one, since cookies ignore the port: ${two}/sign-in. Sign in as Ada, in the usual mode.
   Under Account, Devices, choose "End all others".
3. Window 1: go on to another page.
   ${endsWith[mode]}
Then choose another mode at window 1, and predict again. The shop stays open`;
}
