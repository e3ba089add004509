/**
 * Bounds and shapes that two processes must agree on. The gateway refuses what breaks one and names the field. The service that keeps the value
 * checks it again, because the gateway is not its only caller. Lengths are those of JavaScript: UTF-16 code units.
 */

// Identity

/** A person, and the cart of that person: `g_` or `u_`, then an id. An id is a UUID; tests use shorter ones. */
export const subjectPattern = /^[gu]_[A-Za-z0-9-]{1,64}$/;
/** What the pattern amounts to. */
export const subjectLengthMax = 66;
/** A site of the platform. It is a part of each session token, so it is short. */
export const regionPattern = /^[a-z0-9-]{1,16}$/;
/** RFC 5321 4.5.3.1.3 limits a path to 256 octets, two of them angle brackets. */
export const emailLengthMax = 254;
/** Of a person, and of a passkey, which a person names. What fits on a label. */
export const nameLengthMax = 100;
/** NIST SP 800-63B 3.1.1. */
export const passwordLengthMin = 8;
/** Bounds what is hashed: longer ones are work for us that costs an attacker nothing. NIST asks for 64 at least. */
export const passwordLengthMax = 200;
/** WebAuthn level 3 limits a credential's id to 1,023 bytes: 1,364 characters of base64url. */
export const credentialIdLengthMax = 1_400;

/**
 * Of anything that auth signs: a passport has about 700 characters, an access token 1,100. Browsers keep no longer cookie, and Node takes 16 KiB of
 * headers. A longer one is refused before anything is computed.
 */
export const signedTokenLengthMax = 4_096;

// Traces

/** A label that a browser may put on its requests. It travels as metadata and as a record header, so it has no space and no comma. */
export const experimentPattern = /^[A-Za-z0-9._:-]{1,64}$/;

// Products

/** It stands in paths, so it has no dot: a segment of dots alone would be another path. */
export const productIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** In one question to the catalog: twice the lines of a cart, and one SQL statement stays short. */
export const productIdCountMax = 200;
/** Longer is no search that a person types, and each word costs a walk of the index. */
export const searchLengthMax = 100;
/** Of a category, and of an option's name or value, in a search. */
export const searchChoiceLengthMax = 64;
/** More than a person ticks, and each name costs a pass over what was found. */
export const searchChoiceCountMax = 10;
/** Keeps page x size a safe integer; no shop has as many pages. */
export const productPageMax = 10_000;
/** Of products and of orders: bounds one answer to some 100 KB. */
export const pageSizeMax = 100;
/** What fits below a search field without scrolling. */
export const suggestedProductCountMax = 6;
export const suggestedCategoryCountMax = 3;

// Carts

/** What a page can show, and what a check-out can price in one call. */
export const cartLineCountMax = 100;
/** One command's worth. Stock is judged at check-out. */
export const lineQuantityMax = 999;
/** Enough for size, colour, engraving and the like. */
export const optionCountMax = 8;
/** An option's name in the log is a part of the line's id, so it is short and plain. */
export const optionNamePattern = /^[A-Za-z][A-Za-z0-9 _.-]{0,31}$/;
export const optionValueLengthMax = 64;
/** A line's id is its product and options: 8 x (32 + 64) characters, each escaped in JSON to 6 at worst, in base64. */
export const lineIdLengthMax = 7_000;
/** The largest `seen` that cart gives out: 550 dots of 16 bytes and 100 cart ids, in base64url. A test of cart makes that one. */
export const seenLengthMax = 20_000;
/** As people write it: case does not matter. */
export const writtenCouponPattern = /^[A-Za-z0-9-]{1,32}$/;
/** As carts keep it; the gateway writes it large. */
export const couponCodePattern = /^[A-Z0-9-]{1,32}$/;
/** `<region>:<partition>:<offset>` of a record in the log. Kafka's offsets have 63 bits: 19 digits. No topic has 100,000 partitions. */
export const consistencyTokenPattern = /^([a-z0-9-]{1,16}):(\d{1,5}):(\d{1,19})$/;

// Orders

/** Chosen by the client. A UUID does, as does a hash; spaces are trimmed on the way, so it has none. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,64}$/;
/** Beyond it nobody reads, and a database would count through all that is before. */
export const orderPageMax = 1_000;

// Profiles: what fits on a label of a parcel

export const addressLineLengthMax = 200;
export const postalCodeLengthMax = 20;
/** ISO 3166-1 alpha-2. */
export const countryPattern = /^[A-Z]{2}$/;
/** More than anyone ships to, and one page of them. */
export const addressCountMax = 20;
export const preferenceNameLengthMax = 64;
export const preferenceValueLengthMax = 256;
