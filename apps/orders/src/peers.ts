/** The services that orders calls for a person. */
import { CartService, CatalogService, ProfileService, TokenExchangeService } from '@cloakroom/contracts';
import type { ByRegion } from '@cloakroom/identity';
import { connectMesh, type MeshClient, type MeshTls } from '@cloakroom/mesh';
import { type Logger } from '@cloakroom/platform';
import type { OrdersConfig } from './config.ts';

export interface Peers {
  readonly exchange: MeshClient<typeof TokenExchangeService>;
  /** The same at the auth of each other region. */
  readonly exchangeIn: ByRegion<MeshClient<typeof TokenExchangeService>>;
  readonly cart: MeshClient<typeof CartService>;
  readonly catalog: MeshClient<typeof CatalogService>;
  readonly profile: MeshClient<typeof ProfileService>;
  /** The same in each other region. */
  readonly profileIn: ByRegion<MeshClient<typeof ProfileService>>;
  close(): void;
}

export function connectPeers(config: OrdersConfig, tls: MeshTls | undefined, log: Logger): Peers {
  const exchange = connectMesh(TokenExchangeService, { address: config.AUTH_ADDRESS, tls, log });
  const cart = connectMesh(CartService, { address: config.CART_ADDRESS, tls, log });
  const catalog = connectMesh(CatalogService, { address: config.CATALOG_ADDRESS, tls, log });
  const profile = connectMesh(ProfileService, { address: config.PROFILE_ADDRESS, tls, log });
  const abroad = config.OTHER_REGIONS.map(
    ({ region, authAddress }) => [region, connectMesh(TokenExchangeService, { address: authAddress, tls, log })] as const,
  );
  const profilesAbroad = config.PROFILE_ABROAD.map(
    ({ region, address }) => [region, connectMesh(ProfileService, { address, tls, log })] as const,
  );
  return {
    exchange: exchange.client,
    exchangeIn: new Map(abroad.map(([region, { client }]) => [region, client])),
    cart: cart.client,
    catalog: catalog.client,
    profile: profile.client,
    profileIn: new Map(profilesAbroad.map(([region, { client }]) => [region, client])),
    close: () =>
      [exchange, cart, catalog, profile, ...[...abroad, ...profilesAbroad].map(([, connection]) => connection)].forEach((connection) =>
        connection.close(),
      ),
  };
}
