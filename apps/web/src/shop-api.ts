/** Everything that the pages ask of the gateway, one line each. */
import type {
  AccountNotice,
  Cart,
  CommandAccepted,
  Device,
  FactorChange,
  Factors,
  LineWish,
  Order,
  OrderPage,
  OrderPreview,
  OrderWish,
  Passkey,
  PasskeyOptions,
  Product,
  ProductPage,
  Profile,
  ProfilePatch,
  SecondFactorProof,
  Session,
  SessionMode,
  Suggestions,
  User,
} from './api.types.ts';
import { toRequest, type ProductQuery } from './product-query.ts';
import { request, type Fetch, type Method } from './request.ts';
import { isPassing, withRetry, type RetryParts } from './retry.ts';
import { uuidV7 } from './uuid.ts';

export interface ApiParts extends RetryParts {
  readonly fetch: Fetch;
  readonly nowMs: () => number;
  readonly randomBytes: (count: number) => Uint8Array;
}

interface AskedMode {
  /** Absent: the operator's default. */
  readonly mode?: SessionMode;
}

interface PasskeyAnswer {
  readonly challenge: string;
  /** What the browser answered (RegistrationResponseJSON or AuthenticationResponseJSON). */
  readonly response: object;
}

/** A password, with a code where the account has a second factor; or a passkey. */
export type StepUpProof = { readonly password: string; readonly code?: string; readonly recoveryCode?: string } | PasskeyAnswer;

/** As many as one looks through. */
export const orderPageSize = 10;

export type ShopApi = ReturnType<typeof createShopApi>;

export function createShopApi(parts: ApiParts) {
  // Longer because it is one table: what this app asks for, a line each.
  const send = <Answer>(method: Method, path: string, body?: object, signal?: AbortSignal): Promise<Answer> =>
    request<Answer>(parts.fetch, { method, path, body, signal });
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
    login: (body: { email: string; password: string } & AskedMode) => send<Session>('POST', '/api/session/login', body),
    loginSecondFactor: (body: SecondFactorProof & { challenge: string }) => send<Session>('POST', '/api/session/login/second-factor', body),
    passkeyRequest: () => send<PasskeyOptions>('POST', '/api/session/login/passkey/options'),
    loginWithPasskey: (body: PasskeyAnswer & AskedMode) => send<Session>('POST', '/api/session/login/passkey', body),
    reauthenticate: (body: StepUpProof) => send<Session>('POST', '/api/session/reauthenticate', body),
    logout: () => send<void>('POST', '/api/session/logout'),

    devices: (signal?: AbortSignal) => send<Device[]>('GET', '/api/session/devices', undefined, signal),
    endDevice: (handle: string) => send<void>('DELETE', `/api/session/devices/${id(handle)}`),
    endOtherDevices: () => send<void>('DELETE', '/api/session/devices'),

    changePassword: (body: { password: string; endOthers: boolean }) => send<Session>('PUT', '/api/session/password', body),
    changeEmail: (email: string) => send<Session>('PUT', '/api/session/email', { email }),
    notices: (signal?: AbortSignal) => send<{ items: AccountNotice[] }>('GET', '/api/session/notices', undefined, signal),
    factors: (signal?: AbortSignal) => send<Factors>('GET', '/api/session/factors', undefined, signal),
    beginTotp: () => send<{ secret: string; uri: string }>('POST', '/api/session/factors/totp'),
    confirmTotp: (code: string) => send<FactorChange>('PUT', '/api/session/factors/totp', { code }),
    removeTotp: () => send<FactorChange>('DELETE', '/api/session/factors/totp'),
    newRecoveryCodes: () => send<FactorChange>('POST', '/api/session/factors/recovery-codes'),
    passkeyCreation: () => send<PasskeyOptions>('POST', '/api/session/passkeys/options'),
    addPasskey: (body: PasskeyAnswer & { name: string }) => send<Passkey & FactorChange>('POST', '/api/session/passkeys', body),
    removePasskey: (passkeyId: string) => send<FactorChange>('DELETE', `/api/session/passkeys/${id(passkeyId)}`),

    findUsers: (query: string, signal?: AbortSignal) =>
      send<{ items: User[] }>('GET', `/api/admin/users?${new URLSearchParams({ query }).toString()}`, undefined, signal),
    actOnUser: (userId: string, what: 'disable' | 'enable' | 'revoke') => send<void>('POST', `/api/admin/users/${id(userId)}/${what}`),
    revokeEverything: () => send<void>('POST', '/api/admin/revoke-everything'),

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
    applyCoupon: (code: string) => command('PUT', `/api/cart/coupons/${id(code)}`, {}),
    removeCoupon: (code: string, seen: string) => command('DELETE', `/api/cart/coupons/${id(code)}`, { seen }),

    previewOrder: (seen: string, signal?: AbortSignal) => send<OrderPreview>('POST', '/api/orders/preview', { seen }, signal),
    newOrderKey: () => uuidV7(parts.nowMs(), parts.randomBytes(10)),
    /**
     * Repeated by itself with the same key, which is what makes that harmless.
     * @param onUncertain an answer is lost: the order may or may not have been taken
     */
    placeOrder: (key: string, wish: OrderWish, onUncertain: () => void) => {
      const headers = { 'idempotency-key': key };
      const attempt = async (): Promise<Order> => {
        try {
          return await request<Order>(parts.fetch, { method: 'POST', path: '/api/orders', body: wish, headers });
        } catch (error) {
          if (isPassing(error)) onUncertain();
          throw error;
        }
      };
      return withRetry(attempt, parts);
    },
    orders: (page: number, signal?: AbortSignal) =>
      send<OrderPage>('GET', `/api/orders?page=${page}&pageSize=${orderPageSize}`, undefined, signal),
    order: (orderId: string, signal?: AbortSignal) => send<Order>('GET', `/api/orders/${id(orderId)}`, undefined, signal),

    profile: (signal?: AbortSignal) => send<Profile>('GET', '/api/profile', undefined, signal),
    updateProfile: (patch: ProfilePatch) => send<Profile>('PATCH', '/api/profile', patch),
    recordView: (productId: string) => send<void>('PUT', `/api/profile/recently-viewed/${id(productId)}`),
  };
}
