/** Everything that the pages ask of the gateway, one line each. */
import type {
  Cart,
  CommandAccepted,
  Device,
  LineWish,
  Product,
  ProductPage,
  Profile,
  ProfilePatch,
  Session,
  Suggestions,
} from './api.types.ts';
import { toRequest, type ProductQuery } from './product-query.ts';
import { request, type Fetch, type Method } from './request.ts';
import { withRetry, type RetryParts } from './retry.ts';
import { uuidV7 } from './uuid.ts';

export interface ApiParts extends RetryParts {
  readonly fetch: Fetch;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

export type ShopApi = ReturnType<typeof createShopApi>;

export function createShopApi(parts: ApiParts) {
  const send = <Answer>(method: Method, path: string, body?: object, signal?: AbortSignal): Promise<Answer> =>
    request<Answer>(parts.fetch, method, path, body, signal);
  // One id a command, made before the first attempt and kept for all of them: that is what makes a repetition harmless.
  const command = (method: Method, path: string, body: object): Promise<CommandAccepted> => {
    const commandId = uuidV7(parts.nowMs(), parts.randomBytes(10));
    return withRetry(() => send<CommandAccepted>(method, path, { commandId, ...body }), parts);
  };
  const id = encodeURIComponent;
  return {
    session: (signal?: AbortSignal) => send<Session>('GET', '/api/session', undefined, signal),
    startGuest: () => send<Session>('POST', '/api/session/guest'),
    register: (body: { name: string; email: string; password: string }) => send<Session>('POST', '/api/session/register', body),
    login: (body: { email: string; password: string }) => send<Session>('POST', '/api/session/login', body),
    reauthenticate: (password: string) => send<Session>('POST', '/api/session/reauthenticate', { password }),
    logout: () => send<void>('POST', '/api/session/logout'),

    devices: (signal?: AbortSignal) => send<Device[]>('GET', '/api/session/devices', undefined, signal),
    endDevice: (handle: string) => send<void>('DELETE', `/api/session/devices/${id(handle)}`),
    endOtherDevices: () => send<void>('DELETE', '/api/session/devices'),

    products: (query: ProductQuery, signal?: AbortSignal) =>
      send<ProductPage>('GET', `/api/products?${toRequest(query)}`, undefined, signal),
    suggestions: (query: string, signal?: AbortSignal) =>
      send<Suggestions>('GET', `/api/products/suggestions?${new URLSearchParams({ query }).toString()}`, undefined, signal),
    product: (productId: string, signal?: AbortSignal) => send<Product>('GET', `/api/products/${id(productId)}`, undefined, signal),

    cart: (signal?: AbortSignal) => send<Cart>('GET', '/api/cart', undefined, signal),
    addLine: (body: LineWish & { readonly seen?: string }) => command('POST', '/api/cart/lines', body),
    setQuantity: (lineId: string, quantity: number, seen: string) => command('PUT', `/api/cart/lines/${id(lineId)}`, { quantity, seen }),
    removeLine: (lineId: string, seen: string) => command('DELETE', `/api/cart/lines/${id(lineId)}`, { seen }),
    clearCart: (seen: string) => command('DELETE', '/api/cart', { seen }),

    profile: (signal?: AbortSignal) => send<Profile>('GET', '/api/profile', undefined, signal),
    updateProfile: (patch: ProfilePatch) => send<Profile>('PATCH', '/api/profile', patch),
    recordView: (productId: string) => send<void>('PUT', `/api/profile/recently-viewed/${id(productId)}`),
  };
}
