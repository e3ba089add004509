/** The gateway's answers, as this app reads them (GET /openapi.json of a running gateway describes all of it). Amounts are minor units. */
export interface Session {
  readonly state: 'none' | 'guest' | 'user';
  readonly mode?: SessionMode;
  readonly user?: { readonly id: string; readonly name: string; readonly email: string; readonly role?: 'admin' };
  /** Absent without a session. */
  readonly cartId?: string;
  /** The guest cart that the sign-in of this session claimed. */
  readonly claimedGuestCart?: string;
  readonly authenticatedAt?: string;
  /** After signing in or up only. */
  readonly merge?: { readonly state: MergeState; readonly from?: string };
  /** An older session of this person was ended to make room for this one. */
  readonly endedOldest?: boolean;
  /** What a sign-in may ask for. Told by GET /api/session alone. */
  readonly modes?: { readonly default: SessionMode; readonly allowed: readonly SessionMode[] };
}

/** How the gateway checks the session at each request. */
export type SessionMode = 'reference' | 'hybrid' | 'jwt' | 'jwt-denylist';

export type MergeState = 'none' | 'pending' | 'merged';

export interface Device {
  /** Names a session without being its token. */
  readonly handle: string;
  readonly current: boolean;
  readonly device: string;
  readonly mode: SessionMode;
  readonly createdAt: string;
  readonly lastSeenAt: string;
}

export interface Product {
  readonly productId: string;
  readonly name: string;
  readonly description: string;
  readonly category: string;
  readonly price: number;
  readonly currency: string;
  readonly options: readonly { readonly name: string; readonly values: readonly string[] }[];
  readonly stock: number;
  readonly image: string;
}

export interface ProductPage {
  readonly items: readonly Product[];
  readonly total: number;
  readonly page: number;
  readonly pageSize: number;
  /** Absent from a catalog that does not count yet. */
  readonly facets?: Facets;
}

export interface FacetCount {
  readonly value: string;
  readonly count: number;
}

/** Counted over all that matches, not over the page. */
export interface Facets {
  readonly categories: readonly FacetCount[];
  readonly options: readonly { readonly name: string; readonly values: readonly FacetCount[] }[];
  readonly priceMin: number;
  readonly priceMax: number;
}

export interface Suggestions {
  readonly products: readonly Pick<Product, 'productId' | 'name' | 'category' | 'image'>[];
  readonly categories: readonly string[];
}

export type ChosenOptions = Readonly<Record<string, string>>;

/** What a person wants in the cart. */
export interface LineWish {
  readonly productId: string;
  readonly options: ChosenOptions;
  readonly quantity: number;
}

export interface CartLine {
  readonly lineId: string;
  readonly productId: string;
  /** In the order in which the product's page asks for them. */
  readonly options: ChosenOptions;
  readonly name: string;
  readonly image: string;
  readonly quantity: number;
  readonly unitPrice: number;
  readonly currency: string;
  /** False when the catalog does not know the product any more: it has no price then. */
  readonly available: boolean;
  /** Of the product, over all its lines, as last read; check-out judges it. */
  readonly inStock?: number;
  /** Opaque: what of this line the reader has seen. Goes back with the command that changes it. */
  readonly seen: string;
}

export interface Cart {
  readonly cartId: string;
  readonly lines: readonly CartLine[];
  readonly seen: string;
  readonly subtotal: number;
  readonly currency: string;
  readonly stale: boolean;
  /** Records that the view lacks of what this page wrote or was shown. 0 in a stale cart whose log cannot be heard. */
  readonly behind: number;
  readonly incomplete: boolean;
  readonly merge: { readonly state: MergeState; readonly from?: string; readonly at?: string };
  /** Absent from a gateway that knows no coupons. Whether one counts, the preview of the order says. */
  readonly coupons?: readonly CartCoupon[];
}

export interface CartCoupon {
  readonly code: string;
  readonly seen: string;
}

export interface CommandAccepted {
  readonly commandId: string;
  readonly lineId?: string;
  readonly seen: string;
}

export interface Address {
  /** Absent in a new one: the server gives it. */
  readonly addressId?: string;
  readonly name: string;
  readonly line1: string;
  readonly line2?: string;
  readonly city: string;
  readonly postalCode: string;
  /** ISO 3166-1 alpha-2. */
  readonly country: string;
}

export interface Profile {
  readonly name?: string;
  readonly email?: string;
  readonly addresses?: readonly Address[];
  readonly preferences: Readonly<Record<string, string>>;
  /** Product ids, newest first. */
  readonly recentlyViewed: readonly string[];
}

/** Why a line or a coupon cannot be ordered as it is. */
export type Obstacle =
  'unknown_product' | 'out_of_stock' | 'limit' | 'unknown_coupon' | 'expired' | 'subtotal_too_low' | 'used_before' | 'not_the_best';

/** As they were when it was ordered. */
export interface OrderLine {
  readonly lineId: string;
  readonly productId: string;
  readonly name: string;
  readonly options: ChosenOptions;
  readonly quantity: number;
  readonly unitPrice: number;
}

export interface PreviewLine extends OrderLine {
  readonly inStock: number;
  readonly obstacle?: Obstacle;
}

export interface PreviewCoupon {
  readonly code: string;
  /** In words: "10 % off". */
  readonly description: string;
  readonly discount: number;
  readonly obstacle?: Obstacle;
}

/** What an order would be now. */
export interface OrderPreview {
  readonly lines: readonly PreviewLine[];
  readonly coupons: readonly PreviewCoupon[];
  readonly subtotal: number;
  readonly discount: number;
  readonly total: number;
  readonly currency: string;
  /** Something that was seen is gone from the cart. */
  readonly cartChanged: boolean;
}

/** The body of a POST /api/orders. One Idempotency-Key belongs to exactly one of these. */
export interface OrderWish {
  readonly addressId: string;
  readonly seen: string;
  /** What the person agreed to pay. */
  readonly expectedTotal: number;
  readonly paymentMethod: string;
}

export interface OrderStep {
  /** The event's name, as on the topic order.events. */
  readonly name: string;
  readonly at: string;
}

export interface Order {
  readonly orderId: string;
  readonly status: 'pending' | 'placed' | 'cancelled';
  /** Of a cancelled one. */
  readonly reason?: string;
  readonly lines: readonly OrderLine[];
  readonly subtotal: number;
  readonly discount: number;
  /** The one that counted. */
  readonly coupon?: string;
  readonly total: number;
  readonly currency: string;
  readonly placedAt: string;
  readonly paymentMethod: string;
  readonly address: Omit<Address, 'addressId'>;
  readonly steps: readonly OrderStep[];
}

export interface OrderPage {
  readonly items: readonly Order[];
  readonly total: number;
  readonly page: number;
  readonly pageSize: number;
}

export type ProfilePatch = Partial<Pick<Profile, 'name' | 'addresses' | 'preferences'>>;

export type FactorMethod = 'totp' | 'passkey' | 'recovery_code';

/** Of the problem `second_factor_required`. A step-up has no challenge: it is repeated with the code. */
export interface SecondFactor {
  readonly challenge?: string;
  readonly methods: readonly FactorMethod[];
  /** For the passkeys of this account (PublicKeyCredentialRequestOptionsJSON). */
  readonly options?: object;
}

/** What is given in answer to one. */
export type SecondFactorProof = { readonly code: string } | { readonly recoveryCode: string } | { readonly response: object };

export interface Passkey {
  readonly passkeyId: string;
  readonly name: string;
  readonly createdAt: string;
  readonly lastUsedAt?: string;
}

export interface Factors {
  readonly totp: { readonly active: boolean };
  readonly recoveryCodesLeft: number;
  readonly passkeys: readonly Passkey[];
}

/** After each change of a factor: how many other sessions this person has, which may now be ended (ASVS 5.0 7.4.3). */
export interface FactorChange {
  readonly otherSessions: number;
  /** Shown this once. */
  readonly recoveryCodes?: readonly string[];
}

/** `options` go to the browser, `challenge` comes back with its answer. */
export interface PasskeyOptions {
  readonly challenge: string;
  readonly options: object;
}

export interface AccountNotice {
  readonly at: string;
  readonly kind: string;
  readonly text: string;
}

export interface User {
  readonly userId: string;
  readonly name: string;
  readonly email: string;
  readonly role: 'admin' | 'customer';
  readonly disabled: boolean;
  /** Live ones. */
  readonly sessions: number;
}
