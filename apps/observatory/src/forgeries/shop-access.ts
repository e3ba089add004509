import { readFile } from 'node:fs/promises';
import { developer } from '@cloakroom/contracts';
import type { MeshTls } from '@cloakroom/mesh';
import type { ObservatoryConfig } from '../config.ts';

/** The parts of the shop that the forger talks to. */
export interface ShopAccess {
  /** "http://localhost:4000" */
  readonly gateway: string;
  readonly addresses: Readonly<Record<'auth' | 'cart' | 'profile', string>>;
  /** Proves the caller `developer`: by certificate, or by its secret of this start. */
  proof(): Promise<{ readonly tls: MeshTls | undefined; readonly secret: string | undefined }>;
}

/** @returns undefined where this process was not told of a shop */
export function shopAccessOf(config: ObservatoryConfig): ShopAccess | undefined {
  const { SHOP_URL: gateway, AUTH_ADDRESS: auth, CART_ADDRESS: cart, PROFILE_ADDRESS: profile } = config;
  if ([gateway, auth, cart, profile].includes('')) return undefined;
  return {
    gateway,
    addresses: { auth, cart, profile },
    // Read at each use: certificates rotate, and a shop that starts again has another secret.
    proof: async () =>
      config.TLS_DIR === ''
        ? { tls: undefined, secret: (await readFile(config.DEVELOPER_SECRET_FILE, 'utf8')).trim() }
        : { tls: await (await import('@cloakroom/mesh')).readTls(config.TLS_DIR, developer), secret: undefined },
  };
}
