/** Types of what the HTTP API takes and answers, from /openapi.json. apps/gateway/src/operations/http-types.test.ts says how it is made. */
export type paths = Record<string, never>;
export type webhooks = Record<string, never>;
export interface components {
    schemas: {
        readonly Session: {
            /** @enum {string} */
            readonly state: "none" | "guest" | "user";
            readonly mode?: components["schemas"]["SessionMode"];
            readonly user?: {
                readonly id: string;
                readonly name: string;
                readonly email: string;
                /** @constant */
                readonly role?: "admin";
            };
            /** @description The public name of this session, as the list of devices, logs and revocations say it. No token can be made from it. */
            readonly handle?: string;
            /** @description The cart of this session; a command may name it. Absent without a session. */
            readonly cartId?: string;
            /** @description The guest cart that the sign-in of this session claimed. */
            readonly claimedGuestCart?: string;
            /** Format: date-time */
            readonly createdAt?: string;
            /** Format: date-time */
            readonly authenticatedAt?: string;
            /** Format: date-time */
            readonly idleExpiresAt?: string;
            /** Format: date-time */
            readonly expiresAt?: string;
            /** @description What a sign-in may ask for; told by GET /api/session. */
            readonly modes?: {
                readonly default: components["schemas"]["SessionMode"];
                readonly allowed: readonly components["schemas"]["SessionMode"][];
            };
            /**
             * Format: uri
             * @description Where the Observatory of this shop is; told by GET /api/session, on a shop that `npm start` runs on this machine.
             */
            readonly observatory?: string;
            /** @description Told by GET /api/session, where there are several regions. */
            readonly region?: {
                /** @description The region of this gateway. */
                readonly here: string;
                /** @description The region where this session lives. */
                readonly home?: string;
                /** @description False while home cannot be asked and this gateway goes on with what it knows: for a minute, and for nothing that is sensitive. */
                readonly homeReachable?: boolean;
            };
        };
        /**
         * @description How the gateway checks the session at each request. The operator decides which modes a sign-in may ask for.
         * @enum {string}
         */
        readonly SessionMode: "reference" | "hybrid" | "jwt" | "jwt-denylist";
        /** @description RFC 9457 problem details */
        readonly Problem: {
            /** @description A URN that names the kind of problem and is no address: urn:cloakroom:problem:<code>. */
            readonly type: string;
            readonly title: string;
            readonly status: number;
            readonly code: components["schemas"]["ErrorCode"];
            readonly detail?: string;
            readonly errors?: readonly {
                readonly field: string;
                readonly message: string;
            }[];
            /** @description Seconds; the same as the Retry-After header. */
            readonly retryAfter?: number;
            /** @description Of second_factor_required: names this sign-in in its second half. A step-up has none: it is repeated with the code. */
            readonly challenge?: string;
            /** @description Of second_factor_required. */
            readonly methods?: readonly components["schemas"]["FactorMethod"][];
            /** @description Of second_factor_required with a passkey: for navigator.credentials.get (PublicKeyCredentialRequestOptionsJSON). */
            readonly options?: {
                readonly [key: string]: unknown;
            };
            /** @description Of cart_changed: as it is now. */
            readonly cart?: components["schemas"]["Cart"];
            /** @description Of price_changed and out_of_stock: what an order would be now. */
            readonly preview?: components["schemas"]["OrderPreview"];
            /** @description Tell this to whoever runs the shop. */
            readonly traceId?: string;
        };
        /** @enum {string} */
        readonly ErrorCode: "invalid_request" | "weak_password" | "ambiguous_cookies" | "session_required" | "sign_in_required" | "session_ended" | "invalid_credentials" | "second_factor_required" | "invalid_second_factor" | "challenge_expired" | "step_up_required" | "invalid_passport" | "payment_declined" | "forbidden" | "cross_site_request" | "not_found" | "method_not_allowed" | "email_taken" | "factor_exists" | "command_conflict" | "other_cart" | "cart_changed" | "order_cancelled" | "price_changed" | "out_of_stock" | "payload_too_large" | "unsupported_media_type" | "unknown_product" | "unknown_line" | "command_expired" | "limit_exceeded" | "idempotency_key_reused" | "unknown_address" | "nothing_to_order" | "headers_too_large" | "too_many_requests" | "too_many_attempts" | "cancelled" | "internal" | "unavailable" | "identity_unavailable" | "home_region_unreachable" | "outcome_unknown" | "deadline_exceeded";
        /** @enum {string} */
        readonly FactorMethod: "totp" | "passkey" | "recovery_code";
        readonly Cart: {
            readonly cartId: string;
            readonly lines: readonly components["schemas"]["CartLine"][];
            /** @description Only noted here: what they are worth is judged at check-out. */
            readonly coupons: readonly components["schemas"]["CartCoupon"][];
            /** @description Opaque. Send it back when clearing or ordering the cart. */
            readonly seen: string;
            readonly subtotal: number;
            readonly currency: string;
            /** @description It may lack what the token that you brought stands for: your writes, or what you were shown. Or the log cannot be heard. */
            readonly stale: boolean;
            /** @description How many records of this region's log the view is behind the token that you brought. 0 when it holds them, or in a stale cart whose log cannot be heard. */
            readonly behind: number;
            /** @description Other regions whose records the token names and the view lacks: it waits for a copy. Absent when there is none. */
            readonly behindRegions?: readonly {
                readonly region: string;
                readonly records: number;
            }[];
            /** @description A record of this cart waits for an operator. */
            readonly incomplete: boolean;
            readonly merge: {
                /** @enum {string} */
                readonly state: "none" | "pending" | "merged";
                readonly from?: string;
                /** Format: date-time */
                readonly at?: string;
            };
        };
        readonly CartLine: {
            readonly lineId: string;
            readonly productId: string;
            /** @description In the order in which the product's page asks for them. */
            readonly options: {
                readonly [key: string]: string;
            };
            /** @description "No longer available" when the catalog does not know the product any more. */
            readonly name: string;
            /** @description A path on this origin. Empty when the product is not available. */
            readonly image: string;
            readonly quantity: number;
            /** @description In minor units. 0 when the product is not available; it does not count in the subtotal. */
            readonly unitPrice: number;
            readonly currency: string;
            /** @description False when the catalog no longer knows the product. It has no price then. */
            readonly available: boolean;
            /** @description How many the shop has of the product, for all lines of it together, as last read. Check-out judges it. */
            readonly inStock?: number;
            /** @description Opaque. Send it back with a change of this line. */
            readonly seen: string;
        };
        readonly CartCoupon: {
            readonly code: string;
            /** @description Opaque. Send it back when removing this coupon. */
            readonly seen: string;
        };
        /** @description What an order of this cart would be now. */
        readonly OrderPreview: {
            readonly lines: readonly components["schemas"]["PreviewLine"][];
            readonly coupons: readonly components["schemas"]["PreviewCoupon"][];
            readonly subtotal: number;
            readonly discount: number;
            readonly total: number;
            readonly currency: string;
            /** @description The cart has lost something that was seen. Show the cart again. */
            readonly cartChanged: boolean;
            /**
             * Format: date-time
             * @description Only while the region that decides about the stock is out of reach: when it was last heard. The stock is what this region can sell without it.
             */
            readonly stockHeardAt?: string;
            /** @description Regions that are out of reach. What this person changed in the cart there is not known here yet. */
            readonly unheard?: readonly string[];
        };
        readonly PreviewLine: {
            readonly lineId: string;
            readonly productId: string;
            /** @description As it was when it was ordered. */
            readonly name: string;
            readonly options: {
                readonly [key: string]: string;
            };
            readonly quantity: number;
            readonly unitPrice: number;
            readonly inStock: number;
            readonly obstacle?: components["schemas"]["Obstacle"];
        };
        /**
         * @description Why a line or a coupon cannot be ordered as it is. Absent: it can.
         * @enum {string}
         */
        readonly Obstacle: "unknown_product" | "out_of_stock" | "limit" | "unknown_coupon" | "expired" | "subtotal_too_low" | "used_before" | "not_the_best";
        readonly PreviewCoupon: {
            readonly code: string;
            /** @description In words: "10 % off". */
            readonly description: string;
            readonly discount: number;
            readonly obstacle?: components["schemas"]["Obstacle"];
        };
        readonly SignedIn: {
            /** @enum {string} */
            readonly state: "none" | "guest" | "user";
            readonly mode?: components["schemas"]["SessionMode"];
            readonly user?: {
                readonly id: string;
                readonly name: string;
                readonly email: string;
                /** @constant */
                readonly role?: "admin";
            };
            /** @description The public name of this session, as the list of devices, logs and revocations say it. No token can be made from it. */
            readonly handle?: string;
            /** @description The cart of this session; a command may name it. Absent without a session. */
            readonly cartId?: string;
            /** @description The guest cart that the sign-in of this session claimed. */
            readonly claimedGuestCart?: string;
            /** Format: date-time */
            readonly createdAt?: string;
            /** Format: date-time */
            readonly authenticatedAt?: string;
            /** Format: date-time */
            readonly idleExpiresAt?: string;
            /** Format: date-time */
            readonly expiresAt?: string;
            /** @description What a sign-in may ask for; told by GET /api/session. */
            readonly modes?: {
                readonly default: components["schemas"]["SessionMode"];
                readonly allowed: readonly components["schemas"]["SessionMode"][];
            };
            /**
             * Format: uri
             * @description Where the Observatory of this shop is; told by GET /api/session, on a shop that `npm start` runs on this machine.
             */
            readonly observatory?: string;
            /** @description Told by GET /api/session, where there are several regions. */
            readonly region?: {
                /** @description The region of this gateway. */
                readonly here: string;
                /** @description The region where this session lives. */
                readonly home?: string;
                /** @description False while home cannot be asked and this gateway goes on with what it knows: for a minute, and for nothing that is sensitive. */
                readonly homeReachable?: boolean;
            };
            /** @description A guest cart was claimed: its lines join this cart in a moment. */
            readonly merge?: {
                /** @constant */
                readonly state: "pending";
                readonly from: string;
            };
            /** @description The region where this browser was a guest, while it does not answer. The cart from there joins this one once it does. */
            readonly cartWaitsFor?: string;
            /** @description True when an older session was ended because there were too many. */
            readonly endedOldest?: boolean;
        };
        readonly Devices: readonly components["schemas"]["Device"][];
        readonly Device: {
            /** @description The public name of the session; not the token, and of no use as one. */
            readonly handle: string;
            readonly current: boolean;
            readonly device: string;
            readonly mode: components["schemas"]["SessionMode"];
            /** Format: date-time */
            readonly createdAt: string;
            /** Format: date-time */
            readonly lastSeenAt: string;
        };
        /** @description `options` go to navigator.credentials. `challenge` comes back with its answer. */
        readonly PasskeyOptions: {
            readonly challenge: string;
            readonly options: {
                readonly challenge: string;
            } & {
                readonly [key: string]: unknown;
            };
        };
        readonly Notices: {
            readonly items: readonly components["schemas"]["AccountNotice"][];
        };
        readonly AccountNotice: {
            /** Format: date-time */
            readonly at: string;
            readonly kind: string;
            readonly text: string;
        };
        readonly Factors: {
            readonly totp: {
                readonly active: boolean;
            };
            readonly recoveryCodesLeft: number;
            readonly passkeys: readonly components["schemas"]["Passkey"][];
        };
        readonly Passkey: {
            readonly passkeyId: string;
            readonly name: string;
            /** Format: date-time */
            readonly createdAt: string;
            /** Format: date-time */
            readonly lastUsedAt?: string;
        };
        readonly TotpSecret: {
            readonly secret: string;
            readonly uri: string;
        };
        readonly RecoveryCodes: {
            /** @description Each is good once. They are shown this once. */
            readonly recoveryCodes: readonly string[];
            /** @description How many other sessions this person has. DELETE /api/session/devices ends them. */
            readonly otherSessions: number;
        };
        readonly FactorRemoved: {
            /** @description How many other sessions this person has. DELETE /api/session/devices ends them. */
            readonly otherSessions: number;
        };
        readonly AddedPasskey: {
            readonly passkeyId: string;
            readonly name: string;
            /** Format: date-time */
            readonly createdAt: string;
            /** Format: date-time */
            readonly lastUsedAt?: string;
            /** @description With the first second factor of an account. They are shown this once. */
            readonly recoveryCodes?: readonly string[];
            /** @description How many other sessions this person has. DELETE /api/session/devices ends them. */
            readonly otherSessions: number;
        };
        readonly Users: {
            readonly items: readonly components["schemas"]["User"][];
        };
        readonly User: {
            readonly userId: string;
            readonly name: string;
            readonly email: string;
            /** @enum {string} */
            readonly role: "admin" | "customer";
            readonly disabled: boolean;
            /** @description How many sessions of this person are live. */
            readonly sessions: number;
        };
        readonly ProductPage: {
            readonly items: readonly components["schemas"]["Product"][];
            readonly total: number;
            readonly page: number;
            readonly pageSize: number;
            readonly facets: components["schemas"]["Facets"];
        };
        readonly Product: {
            readonly productId: string;
            readonly name: string;
            readonly description: string;
            readonly category: string;
            /** @description In minor units of the currency. */
            readonly price: number;
            readonly currency: string;
            readonly options: readonly {
                readonly name: string;
                readonly values: readonly string[];
            }[];
            readonly stock: number;
            readonly image: string;
            /**
             * Format: date-time
             * @description Only while the region that decides about the stock is out of reach: when it was last heard. The stock is what this region can sell without it.
             */
            readonly stockHeardAt?: string;
        };
        /** @description Of all that matches, before paging. Each facet leaves its own choice out of its counts. */
        readonly Facets: {
            readonly categories: readonly components["schemas"]["FacetCount"][];
            readonly options: readonly {
                readonly name: string;
                readonly values: readonly components["schemas"]["FacetCount"][];
            }[];
            readonly priceMin: number;
            readonly priceMax: number;
        };
        readonly FacetCount: {
            readonly value: string;
            readonly count: number;
        };
        readonly Suggestions: {
            readonly products: readonly {
                readonly productId: string;
                readonly name: string;
                readonly category: string;
                readonly image: string;
            }[];
            readonly categories: readonly string[];
        };
        readonly CommandAccepted: {
            readonly commandId: string;
            readonly seen: string;
        };
        readonly LineAccepted: {
            readonly commandId: string;
            readonly seen: string;
            readonly lineId: string;
        };
        readonly Order: {
            readonly orderId: string;
            /**
             * @description pending: taken; whether it was paid is being found out. The live event `order` says when that is known.
             * @enum {string}
             */
            readonly status: "pending" | "placed" | "cancelled";
            readonly lines: readonly components["schemas"]["OrderLine"][];
            readonly subtotal: number;
            readonly discount: number;
            /** @description The one that counted. */
            readonly coupon?: string;
            readonly total: number;
            readonly currency: string;
            /** Format: date-time */
            readonly placedAt: string;
            readonly address: {
                readonly name: string;
                readonly line1: string;
                readonly line2?: string;
                readonly city: string;
                readonly postalCode: string;
                readonly country: string;
            };
            /** @description What became of it so far, oldest first. */
            readonly steps: readonly components["schemas"]["OrderStep"][];
            readonly paymentMethod: string;
            /** @description Of a cancelled one: payment_declined, out_of_stock, unavailable. */
            readonly reason?: string;
        };
        /** @description A line as it was when it was ordered. */
        readonly OrderLine: {
            readonly lineId: string;
            readonly productId: string;
            /** @description As it was when it was ordered. */
            readonly name: string;
            readonly options: {
                readonly [key: string]: string;
            };
            readonly quantity: number;
            readonly unitPrice: number;
        };
        readonly OrderStep: {
            /** @description The event's name, as on the topic order.events. */
            readonly name: string;
            /** Format: date-time */
            readonly at: string;
        };
        readonly OrderPage: {
            readonly items: readonly components["schemas"]["Order"][];
            readonly total: number;
            readonly page: number;
            readonly pageSize: number;
        };
        readonly Profile: {
            readonly name?: string;
            readonly email?: string;
            readonly addresses?: readonly components["schemas"]["Address"][];
            readonly preferences: {
                readonly [key: string]: string;
            };
            /** @description Product ids, newest first. */
            readonly recentlyViewed: readonly string[];
            /** @description Present where the home region is out of reach: this is what it said so long ago. */
            readonly copy?: {
                readonly home: string;
                readonly ageMs: number;
            };
        };
        readonly Address: {
            readonly addressId: string;
            readonly name: string;
            readonly line1: string;
            readonly line2?: string;
            readonly city: string;
            readonly postalCode: string;
            /** @description ISO 3166-1 alpha-2. */
            readonly country: string;
        };
        readonly Readiness: {
            readonly ready: boolean;
            readonly degraded: readonly string[];
            readonly parts: {
                readonly [key: string]: {
                    readonly ok: boolean;
                } & {
                    readonly [key: string]: unknown;
                };
            };
        };
        /** @description RFC 7517 */
        readonly JwkSet: {
            readonly keys: readonly ({
                readonly kid: string;
            } & {
                readonly [key: string]: unknown;
            })[];
        };
        readonly postApiSessionRegisterBody: {
            /** Format: email */
            readonly email: string;
            readonly password: string;
            readonly name: string;
            /**
             * @description One of `modes.allowed` of GET /api/session; any other is refused as invalid_request. Absent: `modes.default`.
             * @enum {string}
             */
            readonly mode?: "reference" | "hybrid" | "jwt" | "jwt-denylist";
        };
        readonly postApiSessionLoginBody: {
            /** Format: email */
            readonly email: string;
            readonly password: string;
            /**
             * @description One of `modes.allowed` of GET /api/session; any other is refused as invalid_request. Absent: `modes.default`.
             * @enum {string}
             */
            readonly mode?: "reference" | "hybrid" | "jwt" | "jwt-denylist";
        };
        readonly postApiSessionReauthenticateBody: {
            readonly password?: string;
            /** @description The id that came with the options; good once, for 5 minutes. */
            readonly challenge?: string;
            /** @description What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3). */
            readonly response?: {
                readonly id: string;
            } & {
                readonly [key: string]: unknown;
            };
            readonly code?: string;
            readonly recoveryCode?: string;
        } & (unknown | unknown);
        readonly postApiSessionLoginSecondFactorBody: {
            /** @description The id that came with the options; good once, for 5 minutes. */
            readonly challenge: string;
            readonly code?: string;
            readonly recoveryCode?: string;
            /** @description What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3). */
            readonly response?: {
                readonly id: string;
            } & {
                readonly [key: string]: unknown;
            };
        } & (unknown | unknown | unknown);
        readonly postApiSessionLoginPasskeyBody: {
            /** @description The id that came with the options; good once, for 5 minutes. */
            readonly challenge: string;
            /** @description What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3). */
            readonly response: {
                readonly id: string;
            } & {
                readonly [key: string]: unknown;
            };
            /**
             * @description One of `modes.allowed` of GET /api/session; any other is refused as invalid_request. Absent: `modes.default`.
             * @enum {string}
             */
            readonly mode?: "reference" | "hybrid" | "jwt" | "jwt-denylist";
        };
        readonly putApiSessionPasswordBody: {
            readonly password: string;
            /** @description Ends every other session of this person too. */
            readonly endOthers?: boolean;
        };
        readonly putApiSessionEmailBody: {
            /** Format: email */
            readonly email: string;
        };
        readonly putApiSessionFactorsTotpBody: {
            readonly code: string;
        };
        readonly postApiSessionPasskeysBody: {
            /** @description The id that came with the options; good once, for 5 minutes. */
            readonly challenge: string;
            readonly name: string;
            /** @description What the browser answered: RegistrationResponseJSON or AuthenticationResponseJSON (WebAuthn level 3). */
            readonly response: {
                readonly id: string;
            } & {
                readonly [key: string]: unknown;
            };
        };
        readonly deleteApiCartBody: {
            /** Format: uuid */
            readonly commandId: string;
            readonly seen: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly postApiCartLinesBody: {
            /** Format: uuid */
            readonly commandId: string;
            readonly productId: string;
            /** @description One value for each of the product's options; one left out takes the first value. A retry sends all of them, word for word: the first value may change. */
            readonly options?: {
                readonly [key: string]: string;
            };
            readonly quantity: number;
            readonly seen?: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly putApiCartLinesLineIdBody: {
            /** Format: uuid */
            readonly commandId: string;
            readonly quantity: number;
            readonly seen: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly deleteApiCartLinesLineIdBody: {
            /** Format: uuid */
            readonly commandId: string;
            readonly seen: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly putApiCartCouponsCodeBody: {
            /** Format: uuid */
            readonly commandId: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly deleteApiCartCouponsCodeBody: {
            /** Format: uuid */
            readonly commandId: string;
            readonly seen: string;
            /** @description The cart that the client means. Any other than that of this session, or than the guest cart that it claimed, is refused. */
            readonly cartId?: string;
        };
        readonly postApiOrdersPreviewBody: {
            readonly seen: string;
        };
        readonly postApiOrdersBody: {
            /** @description One of this person's profile. */
            readonly addressId: string;
            /** @description The cart's, as it was shown: what is ordered, and nothing that came later. */
            readonly seen: string;
            /** @description What the person agreed to pay. Any other total is refused as price_changed. Absent: the price of the moment. */
            readonly expectedTotal?: number;
            /**
             * @description The provider's; any other is refused as invalid_request. Those of the simulated one are the examples. Absent: a card that pays.
             * @example card_pays
             * @example card_declined
             * @example card_times_out_charged
             * @example card_times_out_uncharged
             * @example card_double_callback
             */
            readonly paymentMethod?: string;
        };
        /** @description Replaces the fields that it names. A guest has preferences only. */
        readonly patchApiProfileBody: {
            readonly name?: string;
            readonly addresses?: readonly {
                /** @description Absent in a new address: the server gives it. */
                readonly addressId?: string;
                readonly name: string;
                readonly line1: string;
                readonly line2?: string;
                readonly city: string;
                readonly postalCode: string;
                /** @description ISO 3166-1 alpha-2. */
                readonly country: string;
            }[];
            readonly preferences?: {
                readonly [key: string]: string;
            };
        };
        readonly postApiPageSpansBody: {
            readonly spans: readonly {
                /** @description What the person did, without names or ids: "add to cart". */
                readonly name: string;
                /** @description The one that the page sent with its request. */
                readonly traceparent: string;
                /** @description Milliseconds since 1970. */
                readonly startedAtMs: number;
                readonly durationMs: number;
            }[];
        };
    };
    responses: never;
    parameters: never;
    requestBodies: never;
    headers: never;
    pathItems: never;
}
export type Session = components['schemas']['Session'];
export type SessionMode = components['schemas']['SessionMode'];
export type Problem = components['schemas']['Problem'];
export type ErrorCode = components['schemas']['ErrorCode'];
export type FactorMethod = components['schemas']['FactorMethod'];
export type Cart = components['schemas']['Cart'];
export type CartLine = components['schemas']['CartLine'];
export type CartCoupon = components['schemas']['CartCoupon'];
export type OrderPreview = components['schemas']['OrderPreview'];
export type PreviewLine = components['schemas']['PreviewLine'];
export type Obstacle = components['schemas']['Obstacle'];
export type PreviewCoupon = components['schemas']['PreviewCoupon'];
export type SignedIn = components['schemas']['SignedIn'];
export type Devices = components['schemas']['Devices'];
export type Device = components['schemas']['Device'];
export type PasskeyOptions = components['schemas']['PasskeyOptions'];
export type Notices = components['schemas']['Notices'];
export type AccountNotice = components['schemas']['AccountNotice'];
export type Factors = components['schemas']['Factors'];
export type Passkey = components['schemas']['Passkey'];
export type TotpSecret = components['schemas']['TotpSecret'];
export type RecoveryCodes = components['schemas']['RecoveryCodes'];
export type FactorRemoved = components['schemas']['FactorRemoved'];
export type AddedPasskey = components['schemas']['AddedPasskey'];
export type Users = components['schemas']['Users'];
export type User = components['schemas']['User'];
export type ProductPage = components['schemas']['ProductPage'];
export type Product = components['schemas']['Product'];
export type Facets = components['schemas']['Facets'];
export type FacetCount = components['schemas']['FacetCount'];
export type Suggestions = components['schemas']['Suggestions'];
export type CommandAccepted = components['schemas']['CommandAccepted'];
export type LineAccepted = components['schemas']['LineAccepted'];
export type Order = components['schemas']['Order'];
export type OrderLine = components['schemas']['OrderLine'];
export type OrderStep = components['schemas']['OrderStep'];
export type OrderPage = components['schemas']['OrderPage'];
export type Profile = components['schemas']['Profile'];
export type Address = components['schemas']['Address'];
export type Readiness = components['schemas']['Readiness'];
export type JwkSet = components['schemas']['JwkSet'];
export type PostApiSessionRegisterBody = components['schemas']['postApiSessionRegisterBody'];
export type PostApiSessionLoginBody = components['schemas']['postApiSessionLoginBody'];
export type PostApiSessionReauthenticateBody = components['schemas']['postApiSessionReauthenticateBody'];
export type PostApiSessionLoginSecondFactorBody = components['schemas']['postApiSessionLoginSecondFactorBody'];
export type PostApiSessionLoginPasskeyBody = components['schemas']['postApiSessionLoginPasskeyBody'];
export type PutApiSessionPasswordBody = components['schemas']['putApiSessionPasswordBody'];
export type PutApiSessionEmailBody = components['schemas']['putApiSessionEmailBody'];
export type PutApiSessionFactorsTotpBody = components['schemas']['putApiSessionFactorsTotpBody'];
export type PostApiSessionPasskeysBody = components['schemas']['postApiSessionPasskeysBody'];
export type DeleteApiCartBody = components['schemas']['deleteApiCartBody'];
export type PostApiCartLinesBody = components['schemas']['postApiCartLinesBody'];
export type PutApiCartLinesLineIdBody = components['schemas']['putApiCartLinesLineIdBody'];
export type DeleteApiCartLinesLineIdBody = components['schemas']['deleteApiCartLinesLineIdBody'];
export type PutApiCartCouponsCodeBody = components['schemas']['putApiCartCouponsCodeBody'];
export type DeleteApiCartCouponsCodeBody = components['schemas']['deleteApiCartCouponsCodeBody'];
export type PostApiOrdersPreviewBody = components['schemas']['postApiOrdersPreviewBody'];
export type PostApiOrdersBody = components['schemas']['postApiOrdersBody'];
export type PatchApiProfileBody = components['schemas']['patchApiProfileBody'];
export type PostApiPageSpansBody = components['schemas']['postApiPageSpansBody'];
export type $defs = Record<string, never>;
export type operations = Record<string, never>;
