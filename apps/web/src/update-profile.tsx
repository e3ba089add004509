import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import type { Profile, ProfilePatch } from './api.types.ts';
import { keys, useApi } from './shop.tsx';

export function useProfile() {
  const api = useApi();
  return useQuery({ queryKey: keys.profile, queryFn: ({ signal }) => api.profile(signal) });
}

/** Replaces the fields named and shows what the service made of them. */
export function useUpdateProfile() {
  const api = useApi();
  const queryClient = useQueryClient();
  return useMutation({
    mutationFn: (patch: ProfilePatch) => api.updateProfile(patch),
    onSuccess: (profile) => queryClient.setQueryData<Profile>(keys.profile, profile),
  });
}

export function Saved({ shown }: { readonly shown: boolean }) {
  return <output className="good-text">{shown && 'Saved.'}</output>;
}
