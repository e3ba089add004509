/**
 * The home of a session: the region that its token names. Whatever needs the session's truth is asked of the auth there. With one region there is
 * nothing to choose, whatever name a token has.
 */
import { isProblem, problem, type Problem } from '@cloakroom/contracts';
import type { MeshClient } from '@cloakroom/mesh';
import type { Gateway, IdentityParts, RegionAbroad, RegionIdentity } from '../gateway.ts';
import type { BrowserToken, Exchange, Person } from '../http-exchange.ts';

type Regions = Pick<IdentityParts, 'region' | 'abroad' | 'former'>;

/** @returns undefined: no such region is known here */
export function regionOf<Own extends Regions>(own: Own, named: string): Own | RegionAbroad | undefined {
  const region = named === own.former?.name ? own.former.region : named;
  return own.abroad.size === 0 || region === own.region ? own : own.abroad.get(region);
}

/** The region of a token; the own one where the browser showed none. */
export const homeOf = <Own extends Regions>(own: Own, token: BrowserToken | undefined): Own | RegionAbroad | undefined =>
  token === undefined ? own : regionOf(own, token.region);

export const isAbroad = (parts: RegionIdentity | Regions): parts is RegionAbroad => 'auth' in parts;

type Home<Client extends 'auth' | 'account'> = Pick<Gateway, Client>;

/** The auth of this person's region. */
export const authOf = ({ person }: Exchange, gateway: Home<'auth'>): Gateway['auth'] => person?.home?.auth ?? gateway.auth;
export const accountOf = ({ person }: Exchange, gateway: Home<'account'>): Gateway['account'] => person?.home?.account ?? gateway.account;

/** A retry sooner than this would only sit out the same time-outs. */
const retryAfterS = 5;
const silences: ReadonlySet<string> = new Set(['connection_lost', 'unavailable', 'deadline_exceeded', 'internal', 'identity_unavailable']);

/** The page shows it. */
const unreachableText = (region: string): string =>
  `Your account lives in the region "${region}", which cannot be reached now. Browsing works, and your cart for up to a minute.`;

/** Says in the words of a person who is abroad that home does not answer. Another answer of home stays what it is. */
export const unlessSilent = (found: Problem, region: string): Problem =>
  silences.has(found.problem)
    ? problem('home_region_unreachable', unreachableText(region), Math.max(found.retryAfterS ?? 0, retryAfterS))
    : found;

/** A client whose silence is told as `home_region_unreachable`. For calls of a use case; who asks for an identity judges silence itself. */
// oxlint-disable-next-line typescript/no-explicit-any -- Any client of the mesh will do: its methods are passed on as they are.
export function clientAbroad<Client extends MeshClient<any>>(client: Client, region: string): Client {
  return new Proxy(client, {
    get(target, name) {
      const method: unknown = Reflect.get(target, name);
      if (typeof method !== 'function') return method;
      return async (...sent: unknown[]): Promise<unknown> => {
        const answer: unknown = await Reflect.apply(method, target, sent);
        return isProblem(answer) ? unlessSilent(answer, region) : answer;
      };
    },
  });
}

/** A person as known here, with where home is. An auth speaks for sessions of its own region alone. */
export function fromHome(found: Person, home: RegionAbroad): Person | Problem {
  return found.view.region === home.region ? { ...found, home } : problem('identity_unavailable');
}
