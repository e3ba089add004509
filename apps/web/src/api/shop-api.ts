/** Every call that the pages make to the gateway, one line each. */
import type {
  AddedPasskey,
  Cart,
  Devices,
  FactorRemoved,
  Factors,
  Notices,
  Order,
  OrderPage,
  OrderPreview,
  PasskeyOptions,
  PatchApiProfileBody,
  PostApiSessionLoginBody,
  PostApiSessionRegisterBody,
  Product,
  ProductPage,
  Profile,
  PutApiSessionPasswordBody,
  RecoveryCodes,
  Session,
  SignedIn,
  Suggestions,
  TotpSecret,
  Users,
} from '@cloakroom/contracts/http';
import type { Accepted, LineWish, OrderWish, SecondFactorProof } from './api.types.ts';
import { createWriteDoubts, leavesOpen, type Again } from './doubt.ts';
import { Outbox, type CommandWish, type OutboxParts } from './outbox.ts';
import { toRequest, type ProductQuery } from './product-query.ts';
import { ApiProblem, request, type Method } from './request.ts';
import { withRetry } from './retry.ts';
import { uuidV7 } from './uuid.ts';

export type ApiParts = OutboxParts;

interface PasskeyAnswer {
  readonly challenge: string;
  /** What the browser answered (RegistrationResponseJSON or AuthenticationResponseJSON). */
  readonly response: object;
}

/** A password, with a code if the account has a second factor; or a passkey. */
export type StepUpProof = { readonly password: string; readonly code?: string; readonly recoveryCode?: string } | PasskeyAnswer;

/** The write sets a state, whatever was before, so the page may repeat it. */
const same = (what: string): Again => ({ repeats: true, words: `Not sure yet whether ${what}. Doing it again is safe: it counts once.` });
/** The page cannot repeat the write by itself. It tells the person what they may do. */
const once = (words: string): Again => ({ repeats: false, words });

const signingIn = once('Not sure yet whether you are signed in. Signing in again is safe.');
const registering = once(
  'Not sure yet whether your account was made. Pressing again is safe: an e-mail has one account. If it says that there is one, sign in.',
);
const changing = (what: string): Again =>
  once(`Not sure yet whether your ${what} is changed. If you are signed out, sign in with the new one first, then with the old one.`);
const confirming = once(
  'Not sure yet whether two-step sign-in is on. Reload this page: it says how it is. If it is on, make new recovery codes, as the first were not shown.',
);
const turningOff = once('Not sure yet whether two-step sign-in is off. Reload this page: it says how it is.');
const renewing = once('New codes may have been made, and then your old ones are void. Making new ones again is safe: the newest count.');
const addingPasskey = once('Not sure yet whether the passkey was added. Reload this page before you add it again.');
const endingAll = once('Not sure yet whether every session is ended. If you are signed out in a moment, it was. Doing it again is safe.');
const beginning = once('No answer came. Beginning again is safe.');
const proving = once('No answer came. Proving it again is safe; of a code, take the next one.');

/** Tells a person what a command does, and the page what it changes. */
type About = Pick<CommandWish, 'about' | 'productId' | 'lineId'>;

/** A person looks through about so many at a time. */
export const orderPageSize = 10;

export type ShopApi = ReturnType<typeof createShopApi>;

// oxlint-disable-next-line max-lines-per-function -- Longer because it is one table: what this app asks for, a line each.
export function createShopApi(parts: ApiParts) {
  const send = <Answer>(method: Method, path: string, body?: object, signal?: AbortSignal): Promise<Answer> =>
    request<Answer>(parts.fetch, { method, path, body, signal });
  const doubts = createWriteDoubts(parts);
  const outbox = new Outbox(parts);
  /** @param again what the page does, and says, when the answer is lost */
  const write = <Answer>(again: Again, method: Method, path: string, body?: object): Promise<Answer> =>
    doubts.settle(`${method} ${path}`, again, () => send<Answer>(method, path, body));
  const command = (method: Method, path: string, body: CommandWish['body'], about: About): Promise<Accepted> =>
    outbox.send({ method, path, body, ...about });
  const id = encodeURIComponent;
  return {
    outbox,
    pending: parts.store,
    doubts,
    session: (signal?: AbortSignal) => send<Session>('GET', '/api/session', undefined, signal),
    startGuest: () => send<Session>('POST', '/api/session/guest'),
    register: (body: PostApiSessionRegisterBody) => write<SignedIn>(registering, 'POST', '/api/session/register', body),
    login: (body: PostApiSessionLoginBody) => write<SignedIn>(signingIn, 'POST', '/api/session/login', body),
    loginSecondFactor: (body: SecondFactorProof & { challenge: string }) =>
      write<SignedIn>(proving, 'POST', '/api/session/login/second-factor', body),
    passkeyRequest: () => write<PasskeyOptions>(beginning, 'POST', '/api/session/login/passkey/options'),
    passkeyStepUp: () => write<PasskeyOptions>(beginning, 'POST', '/api/session/reauthenticate/passkey/options'),
    loginWithPasskey: (body: PasskeyAnswer & Pick<PostApiSessionLoginBody, 'mode'>) =>
      write<SignedIn>(signingIn, 'POST', '/api/session/login/passkey', body),
    reauthenticate: (body: StepUpProof) => write<Session>(proving, 'POST', '/api/session/reauthenticate', body),
    logout: () => write<void>(same('you are signed out'), 'POST', '/api/session/logout'),

    devices: (signal?: AbortSignal) => send<Devices>('GET', '/api/session/devices', undefined, signal),
    endDevice: (handle: string) => write<void>(same('that session is ended'), 'DELETE', `/api/session/devices/${id(handle)}`),
    endOtherDevices: () => write<void>(same('those sessions are ended'), 'DELETE', '/api/session/devices'),

    changePassword: (body: PutApiSessionPasswordBody) => write<Session>(changing('password'), 'PUT', '/api/session/password', body),
    changeEmail: (email: string) => write<Session>(changing('e-mail'), 'PUT', '/api/session/email', { email }),
    notices: (signal?: AbortSignal) => send<Notices>('GET', '/api/session/notices', undefined, signal),
    factors: (signal?: AbortSignal) => send<Factors>('GET', '/api/session/factors', undefined, signal),
    beginTotp: () => write<TotpSecret>(beginning, 'POST', '/api/session/factors/totp'),
    confirmTotp: (code: string) => write<RecoveryCodes>(confirming, 'PUT', '/api/session/factors/totp', { code }),
    removeTotp: () => write<FactorRemoved>(turningOff, 'DELETE', '/api/session/factors/totp'),
    newRecoveryCodes: () => write<RecoveryCodes>(renewing, 'POST', '/api/session/factors/recovery-codes'),
    passkeyCreation: () => write<PasskeyOptions>(beginning, 'POST', '/api/session/passkeys/options'),
    addPasskey: (body: PasskeyAnswer & { name: string }) => write<AddedPasskey>(addingPasskey, 'POST', '/api/session/passkeys', body),
    removePasskey: (passkeyId: string) =>
      write<FactorRemoved>(same('the passkey is removed'), 'DELETE', `/api/session/passkeys/${id(passkeyId)}`),

    findUsers: (query: string, signal?: AbortSignal) =>
      send<Users>('GET', `/api/admin/users?${new URLSearchParams({ query }).toString()}`, undefined, signal),
    actOnUser: (userId: string, what: 'disable' | 'enable' | 'revoke') =>
      write<void>(same('this was done'), 'POST', `/api/admin/users/${id(userId)}/${what}`),
    revokeEverything: () => write<void>(endingAll, 'POST', '/api/admin/revoke-everything'),

    products: (query: ProductQuery, signal?: AbortSignal) =>
      send<ProductPage>('GET', `/api/products?${toRequest(query)}`, undefined, signal),
    suggestions: (query: string, signal?: AbortSignal) =>
      send<Suggestions>('GET', `/api/products/suggestions?${new URLSearchParams({ query }).toString()}`, undefined, signal),
    product: (productId: string, signal?: AbortSignal) => send<Product>('GET', `/api/products/${id(productId)}`, undefined, signal),

    cart: (signal?: AbortSignal) => send<Cart>('GET', '/api/cart', undefined, signal),
    addLine: (body: LineWish & { readonly seen?: string }, about: string) =>
      command('POST', '/api/cart/lines', { ...body }, { about, productId: body.productId }),
    setQuantity: (lineId: string, quantity: number, seen: string, about: string) =>
      command('PUT', `/api/cart/lines/${id(lineId)}`, { quantity, seen }, { about, lineId }),
    removeLine: (lineId: string, seen: string, about: string) =>
      command('DELETE', `/api/cart/lines/${id(lineId)}`, { seen }, { about, lineId }),
    clearCart: (seen: string) => command('DELETE', '/api/cart', { seen }, { about: 'clearing the cart' }),
    applyCoupon: (code: string) => command('PUT', `/api/cart/coupons/${id(code)}`, {}, { about: `adding the coupon ${code}` }),
    removeCoupon: (code: string, seen: string) =>
      command('DELETE', `/api/cart/coupons/${id(code)}`, { seen }, { about: `removing the coupon ${code}` }),

    previewOrder: (seen: string, signal?: AbortSignal) => send<OrderPreview>('POST', '/api/orders/preview', { seen }, signal),
    newOrderKey: () => uuidV7(parts.nowMs(), parts.randomBytes(10)),
    /**
     * The page repeats the request by itself. The same key makes that harmless.
     * @param onUncertain called when an answer is lost: the order may or may not have been taken
     * @param isStillHere whether the person who placed the order is here: nobody else may repeat it
     */
    placeOrder: (key: string, wish: OrderWish, onUncertain: () => void, isStillHere: () => boolean = () => true) => {
      const headers = { 'idempotency-key': key };
      const attempt = async (): Promise<Order> => {
        if (!isStillHere()) throw new ApiProblem('session_ended', 0, 'You are no longer signed in here. Look at your orders once you are.');
        try {
          return await request<Order>(parts.fetch, { method: 'POST', path: '/api/orders', body: wish, headers });
        } catch (error) {
          if (leavesOpen(error, true)) onUncertain();
          throw error;
        }
      };
      return withRetry(attempt, parts);
    },
    orders: (page: number, signal?: AbortSignal) =>
      send<OrderPage>('GET', `/api/orders?page=${page}&pageSize=${orderPageSize}`, undefined, signal),
    order: (orderId: string, signal?: AbortSignal) => send<Order>('GET', `/api/orders/${id(orderId)}`, undefined, signal),

    profile: (signal?: AbortSignal) => send<Profile>('GET', '/api/profile', undefined, signal),
    updateProfile: (patch: PatchApiProfileBody) => write<Profile>(same('this was saved'), 'PATCH', '/api/profile', patch),
    recordView: (productId: string) => send<void>('PUT', `/api/profile/recently-viewed/${id(productId)}`),
  };
}
