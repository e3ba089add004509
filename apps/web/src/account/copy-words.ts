import type { Profile } from '@cloakroom/contracts/http';

export function copyWords({ home, ageMs }: NonNullable<Profile['copy']>): string {
  const seconds = Math.max(1, Math.round(ageMs / 1000));
  const age = seconds < 120 ? `${seconds} s` : `${Math.floor(seconds / 60)} min`;
  return `Your region, ${home}, cannot be reached. This is what it said ${age} ago. Changes are refused until it answers again.`;
}
