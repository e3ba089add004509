/** The gateway's configuration: one schema, every violation reported at once. The only reader of process.env here. */
import { tokenModeNames } from '@cloakroom/contracts';
import { inFlightMaxDefault, loopLagMaxMsDefault } from '@cloakroom/mesh';
import {
  address,
  addressByRegion,
  areOthers,
  commaList,
  eventLogConfig,
  haveProfiles,
  meshConfig,
  processConfig,
  profileIsMissing,
  profilesAbroadConfig,
  readEnvironment,
  regionIsOwn,
  regionsConfig,
} from '@cloakroom/platform';
import { z } from 'zod';

const mode = z.enum(tokenModeNames);
const count = z.coerce.number().int().min(1).max(10_000_000);

export interface FormerRegion {
  readonly name: string;
  /** Its name now. */
  readonly region: string;
}

const settings = z.object({
  ...processConfig,
  ...meshConfig,
  ...regionsConfig,
  ...profilesAbroadConfig,
  /** Where the orders service of each other region is reached from here. */
  ORDERS_ABROAD: addressByRegion.transform((regions) => regions.map(([region, at]) => ({ region, address: at }))),
  ...eventLogConfig,
  AUTH_ADDRESS: address,
  CART_ADDRESS: address,
  PROFILE_ADDRESS: address,
  CATALOG_ADDRESS: address,
  ORDERS_ADDRESS: address,
  /**
   * Where auth and cart report which Redis they use: their /readyz, a URL for each replica, separated by commas. Optional, for this gateway's
   * own /readyz.
   */
  AUTH_ADMIN_URL: commaList.pipe(z.array(z.url())).optional(),
  CART_ADMIN_URL: commaList.pipe(z.array(z.url())).optional(),
  /** base64url of 32 bytes or more, the same as at auth. While a key is changed it holds several, separated by commas. */
  SESSION_MAC_KEY: z.string().regex(/^[A-Za-z0-9_-]{43,}(,[A-Za-z0-9_-]{43,})*$/, 'must be base64url of 32 bytes or more'),
  /** Every origin that people reach this shop at, all gateways included. Only these may send unsafe methods. */
  PUBLIC_ORIGINS: commaList.pipe(z.array(z.url())),
  /**
   * Addresses or networks (CIDR) of the proxies before this gateway. It believes X-Forwarded-For from these only. None: the connection tells.
   */
  TRUSTED_PROXIES: commaList.optional(),
  /** The same as at auth: GET /api/session says which modes a sign-in may ask for. */
  SESSION_MODE: mode.optional(),
  SESSION_MODES: commaList.pipe(z.array(mode)).optional(),
  /**
   * A session of another region while that region is out of reach, once the lease is over. degraded: a cached identity serves to its passport's end,
   * never for what is sensitive. strict: it is refused.
   */
  CUT_OFF: z.enum(['degraded', 'strict']).default('degraded'),
  /** "local=eu": eu was called local while it was the only region, so tokens of local are eu's. Both regions are told the same. */
  FORMER_REGION: z
    .string()
    .regex(/^[a-z0-9-]{1,16}=[a-z0-9-]{1,16}$/, 'must be name=region')
    .transform((text): FormerRegion => ({ name: text.split('=')[0]!, region: text.split('=')[1]! }))
    .optional(),
  /** The built web app. */
  WEB_DIR: z.string().optional(),
  /** Requests of one address in 10 s: far above what a person makes, below what hurts. */
  RATE_LIMIT_PER_10S: count.default(300),
  /** Sign-ins, sign-ups and password proofs of one address in a minute. auth throttles failures by account and address besides. */
  SIGN_IN_LIMIT_PER_MINUTE: count.default(60),
  /** Guest sessions begun by one address in a minute: each is a record in the store for days. */
  GUEST_LIMIT_PER_MINUTE: count.default(120),
  /** Orders of one person in a minute, refused ones included: each asks four services and a payment provider. */
  ORDER_LIMIT_PER_MINUTE: count.default(60),
  /** Live event streams of this replica: each holds a socket and a stream to the cart service. */
  STREAM_COUNT_MAX: count.default(1_000),
  /** A fifth of them: an office of a hundred people with two tabs each has room, and one address cannot take every seat. */
  STREAM_COUNT_MAX_PER_ADDRESS: count.default(200),
  /** Above so many requests in flight, or so late an event loop, requests are refused, those that matter least first (docs/overload.md). */
  IN_FLIGHT_MAX: count.default(inFlightMaxDefault),
  LOOP_LAG_MAX_MS: count.default(loopLagMaxMsDefault),
});

/** Whether each of the other regions has an orders service. */
const haveOrders = ({ OTHER_REGIONS, ORDERS_ABROAD }: z.output<typeof settings>): boolean =>
  OTHER_REGIONS.every((other) => ORDERS_ABROAD.some(({ region }) => region === other.region));

/** A misspelt name would sign all people of the former region out. */
const formerIsKnown = ({ REGION, OTHER_REGIONS, FORMER_REGION: former }: z.output<typeof settings>): boolean => {
  const known = new Set([REGION, ...OTHER_REGIONS.map(({ region }) => region)]);
  return former === undefined || (known.has(former.region) && !known.has(former.name));
};

const schema = settings
  .refine(areOthers, regionIsOwn)
  .refine(haveProfiles, profileIsMissing)
  .refine(haveOrders, { ...profileIsMissing, path: ['ORDERS_ABROAD'] })
  .refine(formerIsKnown, { path: ['FORMER_REGION'], error: 'must be former=region, with a region of REGION or OTHER_REGIONS' });

export type GatewayConfig = z.output<typeof schema>;

export function readConfig(env: NodeJS.ProcessEnv = process.env): GatewayConfig {
  return readEnvironment(schema, env);
}
