import { useQuery } from '@tanstack/react-query';
import { keys, useApi } from '../api/shop.tsx';

/** Counts this person's other sessions. */
export function useOtherSessions(): number {
  const api = useApi();
  const { data } = useQuery({ queryKey: keys.devices, queryFn: ({ signal }) => api.devices(signal) });
  return data?.filter(({ current }) => !current).length ?? 0;
}
