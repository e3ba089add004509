/** The services that orders calls for a person. */
import { CartService, CatalogService, ProfileService, TokenExchangeService } from '@cloakroom/contracts';
import { connectMesh, type MeshClient, type MeshTls } from '@cloakroom/mesh';
import { type Logger } from '@cloakroom/platform';
import type { OrdersConfig } from './config.ts';

export interface Peers {
  readonly exchange: MeshClient<typeof TokenExchangeService>;
  readonly cart: MeshClient<typeof CartService>;
  readonly catalog: MeshClient<typeof CatalogService>;
  readonly profile: MeshClient<typeof ProfileService>;
  close(): void;
}

export function connectPeers(config: OrdersConfig, tls: MeshTls | undefined, log: Logger): Peers {
  const exchange = connectMesh(TokenExchangeService, { address: config.AUTH_ADDRESS, tls, log });
  const cart = connectMesh(CartService, { address: config.CART_ADDRESS, tls, log });
  const catalog = connectMesh(CatalogService, { address: config.CATALOG_ADDRESS, tls, log });
  const profile = connectMesh(ProfileService, { address: config.PROFILE_ADDRESS, tls, log });
  return {
    exchange: exchange.client,
    cart: cart.client,
    catalog: catalog.client,
    profile: profile.client,
    close: () => [exchange, cart, catalog, profile].forEach((connection) => connection.close()),
  };
}
