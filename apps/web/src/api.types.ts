/** The gateway's answers, as this app reads them (GET /openapi.json of a running gateway describes all of it). Amounts are minor units. */
export interface Session {
  readonly state: 'none' | 'guest' | 'user';
  readonly mode?: string;
  readonly user?: { readonly id: string; readonly name: string; readonly email: string };
  readonly authenticatedAt?: string;
  /** After signing in or up only. */
  readonly merge?: { readonly state: MergeState; readonly from?: string };
  /** An older session of this person was ended to make room for this one. */
  readonly endedOldest?: boolean;
}

export type MergeState = 'none' | 'pending' | 'merged';

export interface Device {
  /** Names a session without being its token. */
  readonly handle: string;
  readonly current: boolean;
  readonly device: string;
  readonly mode: string;
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
  /** Records that the view lacks of what this person wrote. 0 in a stale cart whose log cannot be heard. */
  readonly behind: number;
  readonly incomplete: boolean;
  readonly merge: { readonly state: MergeState; readonly from?: string; readonly at?: string };
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

export type ProfilePatch = Partial<Pick<Profile, 'name' | 'addresses' | 'preferences'>>;
