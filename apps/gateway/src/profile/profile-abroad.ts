/**
 * The profile of a person whose home is another region. It is read and written there, across the ocean. While home is silent, a read shows the copy
 * of the last answer, and a write is refused.
 *
 * A write whose answer was lost may have been taken. It is refused all the same: it replaces whole fields, so a repeated write does no harm.
 */
import { isProblem, type Problem, type Profile } from '@cloakroom/contracts';
import type { RegionAbroad } from '../gateway.ts';
import { type Exchange, outgoing, type Person } from '../http-exchange.ts';

/** The service itself takes no longer. The rest of the request's 2,500 ms is for saying that home is silent. */
const answerWithinMs = 1_500;
/** Where a copy can be shown instead, a page waits no longer than for an answer about its session. */
const answerOrCopyWithinMs = 800;

export interface ProfileRead {
  readonly profile: Profile;
  /** Only of a copy. */
  readonly copy?: { readonly home: string; readonly ageMs: number };
}

type Abroad = Person & { readonly home: RegionAbroad };

export const isFromAbroad = (person: Person): person is Abroad => person.home !== undefined;

export async function readProfileAbroad(exchange: Exchange, { view, passport, home }: Abroad): Promise<ProfileRead | Problem> {
  const { region, profileCopies } = home;
  const copy = profileCopies.find(view.subject);
  const askedAtMs = profileCopies.nowMs();
  const call = within(copy === undefined ? answerWithinMs : answerOrCopyWithinMs, outgoing(exchange, passport));
  const profile = await home.profile.getProfile(call, {});
  if (!isProblem(profile)) {
    profileCopies.keep(view.subject, profile, askedAtMs);
    return { profile };
  }
  if (profile.problem !== 'home_region_unreachable' || copy === undefined) return profile;
  return { profile: copy.profile, copy: { home: region, ageMs: Math.round(copy.ageMs + profileCopies.nowMs() - askedAtMs) } };
}

export type ProfileChange = Parameters<RegionAbroad['profile']['updateProfile']>[1];

export async function updateProfileAbroad(
  exchange: Exchange,
  { view, passport, home }: Abroad,
  change: ProfileChange,
): Promise<Profile | Problem> {
  const profile = await home.profile.updateProfile(within(answerWithinMs, outgoing(exchange, passport)), change);
  if (!isProblem(profile)) home.profileCopies.keep(view.subject, profile, home.profileCopies.nowMs());
  return profile;
}

const within = <Call extends { readonly budgetMs: number }>(budgetMs: number, call: Call): Call => ({
  ...call,
  budgetMs: Math.min(budgetMs, call.budgetMs),
});
