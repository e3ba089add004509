/**
 * The table caller -> audience -> methods of token exchange. It is read from the policies, so a method's
 * policy is the only place that states it.
 */
import { getOption, type DescMethod, type DescService } from '@bufbuild/protobuf';
import { AuthService } from './gen/cloakroom/auth/v1/auth_pb.ts';
import { CartService } from './gen/cloakroom/cart/v1/cart_pb.ts';
import { CatalogService } from './gen/cloakroom/catalog/v1/catalog_pb.ts';
import { policy } from './gen/cloakroom/policy/v1/policy_pb.ts';
import { OrdersService } from './gen/cloakroom/orders/v1/orders_pb.ts';
import { ProfileService } from './gen/cloakroom/profile/v1/profile_pb.ts';

/** Services that can be called for a person. No caller can get a delegation to a service that is missing here. */
const contracts: readonly DescService[] = [AuthService, CartService, CatalogService, OrdersService, ProfileService];

export interface Delegation {
  /** "orders" */
  readonly caller: string;
  /** "cart" */
  readonly audience: string;
  /** "cloakroom.cart.v1.CartService/GetCart" */
  readonly method: string;
}

export function delegationsOf(services: readonly DescService[] = contracts): Delegation[] {
  return services.flatMap(({ typeName, methods }) =>
    methods.flatMap((method: DescMethod) =>
      getOption(method, policy).delegates.map((caller) => ({
        caller,
        audience: typeName.split('.').at(-3)!,
        method: `${typeName}/${method.name}`,
      })),
    ),
  );
}

const table = delegationsOf();

/** Methods that `caller` may call at `audience` for a person, with a passport that it exchanged. Empty means none. */
export const delegatedMethods = (caller: string, audience: string): readonly string[] =>
  table.filter((row) => row.caller === caller && row.audience === audience).map(({ method }) => method);
