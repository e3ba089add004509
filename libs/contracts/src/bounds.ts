/**
 * Bounds and shapes that two processes must agree on. The gateway refuses a value that breaks one, and names the field. The service that
 * keeps the value checks it again, because it has other callers too. Lengths are those of JavaScript: UTF-16 code units.
 */

// Identity

/** A person, and the cart of that person: `g_` or `u_`, then an id. In production an id is a UUID; tests use shorter ones. */
export const subjectPattern = /^[gu]_[A-Za-z0-9-]{1,64}$/;
/** The longest text that the pattern accepts. */
export const subjectLengthMax = 66;
/** A site of the platform. Each session token contains it, so it is short. */
export const regionPattern = /^[a-z0-9-]{1,16}$/;
/** RFC 5321 4.5.3.1.3 limits a path to 256 octets, two of them angle brackets. */
export const emailLengthMax = 254;
/** The name of a person or of a passkey. It must fit on a label. */
export const nameLengthMax = 100;
/** NIST SP 800-63B 3.1.1. */
export const passwordLengthMin = 8;
/** Bounds the work of hashing: a longer password costs us work and costs an attacker nothing. NIST asks for 64 at least. */
export const passwordLengthMax = 200;
/** WebAuthn level 3 limits a credential's id to 1,023 bytes: 1,364 characters of base64url. */
export const credentialIdLengthMax = 1_400;

/**
 * The longest that a process may believe its cached identities after auth's last word about ended sessions. Four missed heartbeats: longer than a
 * brief rebalance, shorter than the 2.5 s bound on a cut feed.
 */
export const revocationLeaseMs = 2_000;

/**
 * Any token that auth signs. A passport has about 700 characters, an access token 1,100. No browser keeps a longer cookie, and Node takes
 * 16 KiB of headers. A longer token is refused before anything is computed.
 */
export const signedTokenLengthMax = 4_096;

// Traces

/** A label that a browser may put on its requests. It travels as metadata and as a record header, so it has no space and no comma. */
export const experimentPattern = /^[A-Za-z0-9._:-]{1,64}$/;

// Products

/** Product ids stand in URL paths, so they have no dot: a segment of dots alone would be another path. */
export const productIdPattern = /^[A-Za-z0-9_-]{1,64}$/;
/** Products in one question to the catalog: twice the lines of a cart. The bound keeps the SQL statement short. */
export const productIdCountMax = 200;
/** People do not type longer searches, and each word costs a walk of the index. */
export const searchLengthMax = 100;
/** The length of a category in a search, and of an option's name or value. */
export const searchChoiceLengthMax = 64;
/** More choices than a person ticks. Each name costs a pass over the products that were found. */
export const searchChoiceCountMax = 10;
/** Keeps page x size a safe integer. No shop has that many pages. */
export const productPageMax = 10_000;
/** Products or orders on one page. The bound keeps one answer below some 100 KB. */
export const pageSizeMax = 100;
/** As many suggestions as fit below a search field without scrolling. */
export const suggestedProductCountMax = 6;
export const suggestedCategoryCountMax = 3;

// Carts

/** As many lines as a page can show, and as a check-out can price in one call. */
export const cartLineCountMax = 100;
/** Bounds one command. Stock is judged at check-out. */
export const lineQuantityMax = 999;
/** Enough for size, colour, engraving and the like. */
export const optionCountMax = 8;
/** The log has an option's name as a part of the line's id, so it is short and plain. */
export const optionNamePattern = /^[A-Za-z][A-Za-z0-9 _.-]{0,31}$/;
export const optionValueLengthMax = 64;
/** A line's id is its product and its options, in base64. There are 8 x (32 + 64) characters, and JSON escapes each to 6 at worst. */
export const lineIdLengthMax = 7_000;
/** The largest `seen` that cart gives out: 550 dots of 16 bytes and 100 cart ids, in base64url. A test of cart makes one of this size. */
export const seenLengthMax = 20_000;
/** A coupon as people write it: upper or lower case. */
export const writtenCouponPattern = /^[A-Za-z0-9-]{1,32}$/;
/** A coupon as carts keep it. The gateway changes it to upper case. */
export const couponCodePattern = /^[A-Z0-9-]{1,32}$/;
/** No shop has more regions. */
export const regionCountMax = 4;
/**
 * The places of records in the logs: `<region>:<partition>:<offset>`, one for each of at most `regionCountMax` regions. A plus stands between them,
 * because a cookie takes no comma. Kafka's offsets have 63 bits, so 19 digits. No topic has 100,000 partitions.
 */
export const consistencyTokenPattern = /^[a-z0-9-]{1,16}:\d{1,5}:\d{1,19}(\+[a-z0-9-]{1,16}:\d{1,5}:\d{1,19}){0,3}$/;

// Orders

/** The client chooses it: a UUID or a hash will do. It has no spaces, because they are trimmed on the way. */
export const idempotencyKeyPattern = /^[\x21-\x7e]{1,64}$/;
/** People do not read further. A database would count through all the orders before the page. */
export const orderPageMax = 1_000;

// Profiles: what fits on a label of a parcel

export const addressLineLengthMax = 200;
export const postalCodeLengthMax = 20;
/** ISO 3166-1 alpha-2. */
export const countryPattern = /^[A-Z]{2}$/;
/** More addresses than anyone ships to, and they fit on one page. */
export const addressCountMax = 20;
export const preferenceNameLengthMax = 64;
export const preferenceValueLengthMax = 256;
