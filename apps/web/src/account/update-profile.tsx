import type { PatchApiProfileBody, Profile } from '@cloakroom/contracts/http';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';

export function useProfile({ enabled = true, staleTime = 0 }: { readonly enabled?: boolean; readonly staleTime?: number } = {}) {
  const api = useApi();
  return useQuery({ queryKey: keys.profile, queryFn: ({ signal }) => api.profile(signal), enabled, staleTime });
}

/** Replaces the fields named and shows what the service made of them. */
export function useUpdateProfile() {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (patch: PatchApiProfileBody) => api.updateProfile(patch),
    onSuccess: (profile) => queryClient.setQueryData<Profile>(keys.profile, profile),
  });
}

export function Saved({ shown }: { readonly shown: boolean }) {
  return <output className="good-text">{shown && 'Saved.'}</output>;
}

/** Between two looks at the name in the header; a change made on this page shows at once. */
const nameStaleMs = 5 * 60_000;

/** The name as the person last changed it. Until that is read there is none: the one of the sign-up may be an old one. It stands in if the profile cannot be read. */
export function useDisplayName(): string | undefined {
  const { session } = useSession();
  const { data, isPending } = useProfile({ enabled: session?.state === 'user', staleTime: nameStaleMs });
  if (session?.state === 'user' && isPending) return undefined;
  return data?.name || session?.user?.name;
}
