import { useQuery } from '@tanstack/react-query';
import { formatTime } from '../format.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { keys, useApi } from '../api/shop.tsx';

export function useNotices() {
  const api = useApi();
  return useQuery({ queryKey: keys.notices, queryFn: ({ signal }) => api.notices(signal) });
}

/** Lists changes of the account, newest first, so that a person sees the ones they did not make. */
export function NoticesSection() {
  const notices = useNotices();
  return (
    <section aria-labelledby="notices" className="sheet">
      <h2 id="notices">What happened to your account</h2>
      {notices.isPending && <Loading what="what happened" />}
      <ProblemNote error={notices.error} onRetry={() => void notices.refetch()} />
      {notices.data?.items.length === 0 && (
        <p className="quiet">Nothing yet. Changes of your password, your passkeys and the like are listed here.</p>
      )}
      {notices.data && notices.data.items.length > 0 && (
        <ul className="notices" aria-labelledby="notices">
          {notices.data.items.map(({ at, kind, text }) => (
            <li key={`${at} ${kind}`}>
              <time className="quiet" dateTime={at}>
                {formatTime(at)}
              </time>
              <span>{text}</span>
            </li>
          ))}
        </ul>
      )}
    </section>
  );
}
