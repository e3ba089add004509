/** One typed client for each service, over mutual TLS. */
import { Inject, Module, type OnApplicationShutdown } from '@nestjs/common';
import { AccountService, AuthService, CartService, CatalogService, OrdersService, ProfileService } from '@cloakroom/contracts';
import { connectMesh, openTls } from '@cloakroom/mesh';
import type { Logger } from '@cloakroom/platform';
import type { GatewayConfig } from './config.ts';
import type { Gateway } from './gateway.ts';
import { answersQuestion } from './identity/resolve-at-auth.ts';
import {
  accountClientToken,
  authClientToken,
  cartClientToken,
  catalogClientToken,
  configToken,
  connectionsToken,
  logToken,
  ordersClientToken,
  profileClientToken,
  tlsToken,
} from './injection.ts';

type Clients = Pick<Gateway, 'auth' | 'account' | 'cart' | 'profile' | 'catalog' | 'orders'>;
type Connections = Clients & { close(): void };

/** One object, as Nest takes `undefined` for a part that is missing. */
type Tls = { readonly tls: Awaited<ReturnType<typeof openTls>> | undefined };

const openOwnTls = async (config: GatewayConfig, log: Logger): Promise<Tls> => ({
  tls: config.MESH_TLS === 'off' ? undefined : await openTls(config.TLS_DIR, 'gateway', { log }),
});

function connect(config: GatewayConfig, log: Logger, { tls }: Tls): Connections {
  const auth = connectMesh(AuthService, { address: config.AUTH_ADDRESS, tls, log, onStream: { resolve: answersQuestion } });
  const account = connectMesh(AccountService, { address: config.AUTH_ADDRESS, tls, log });
  const cart = connectMesh(CartService, { address: config.CART_ADDRESS, tls, log });
  const profile = connectMesh(ProfileService, { address: config.PROFILE_ADDRESS, tls, log });
  const catalog = connectMesh(CatalogService, { address: config.CATALOG_ADDRESS, tls, log });
  const orders = connectMesh(OrdersService, { address: config.ORDERS_ADDRESS, tls, log });
  return {
    auth: auth.client,
    account: account.client,
    cart: cart.client,
    profile: profile.client,
    catalog: catalog.client,
    orders: orders.client,
    close() {
      for (const connection of [auth, account, cart, profile, catalog, orders]) connection.close();
      tls?.stop();
    },
  };
}

const clients: Readonly<Record<keyof Clients, symbol>> = {
  auth: authClientToken,
  account: accountClientToken,
  cart: cartClientToken,
  profile: profileClientToken,
  catalog: catalogClientToken,
  orders: ordersClientToken,
};

@Module({
  providers: [
    { provide: tlsToken, inject: [configToken, logToken], useFactory: openOwnTls },
    { provide: connectionsToken, inject: [configToken, logToken, tlsToken], useFactory: connect },
    ...Object.entries(clients).map(([name, token]) => ({
      provide: token,
      inject: [connectionsToken],
      useFactory: (connections: Connections) => connections[name as keyof Clients],
    })),
  ],
  exports: [...Object.values(clients), tlsToken],
})
export class MeshModule implements OnApplicationShutdown {
  constructor(@Inject(connectionsToken) private readonly connections: Connections) {}

  onApplicationShutdown(): void {
    this.connections.close();
  }
}
