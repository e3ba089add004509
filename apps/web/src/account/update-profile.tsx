import type { PatchApiProfileBody, Profile } from '@cloakroom/contracts/http';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';

export function useProfile({ enabled = true, staleTime = 0 }: { readonly enabled?: boolean; readonly staleTime?: number } = {}) {
  const api = useApi();
  return useQuery({ queryKey: keys.profile, queryFn: ({ signal }) => api.profile(signal), enabled, staleTime });
}

/** Replaces the named fields and shows the profile that the service answers with. */
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

/** The header reads the name again after this long. A change made on this page shows at once. */
const nameStaleMs = 5 * 60_000;

/**
 * The name as the person last changed it. There is none until the profile is read, because the session may hold an old name.
 * If the profile cannot be read, the session's name stands in.
 */
export function useDisplayName(): string | undefined {
  const { session } = useSession();
  const { data, isPending } = useProfile({ enabled: session?.state === 'user', staleTime: nameStaleMs });
  if (session?.state === 'user' && isPending) return undefined;
  return data?.name || session?.user?.name;
}
