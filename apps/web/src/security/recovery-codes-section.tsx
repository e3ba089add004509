import { useChangeOutcome } from './change-outcome.tsx';
import { plural } from '../format.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { useApi } from '../api/shop.tsx';
import { useChange } from './use-change.ts';

/** Recovery codes are for a lost phone. Without a second factor there are none, because nothing would ask for them. */
export function RecoveryCodesSection({ left }: { readonly left: number }) {
  const api = useApi();
  const { outcome, showsCodes, finish } = useChangeOutcome();
  const renew = useChange(
    () => api.newRecoveryCodes(),
    (change) => finish({ text: 'You have new recovery codes. The old ones are void.', ...change }),
  );
  return (
    <section aria-labelledby="recovery" className="sheet">
      <h2 id="recovery">Recovery codes</h2>
      {outcome}
      {!showsCodes && (
        <>
          <p>
            {left === 0
              ? 'You have none left. Make new ones, or a lost phone locks you out.'
              : `You have ${plural(left, 'recovery code')} left. Each opens your account once, in place of your app or passkey.`}
          </p>
          <ProblemNote error={renew.error} />
          <div className="row">
            <button type="button" aria-disabled={renew.isPending} onClick={() => !renew.isPending && renew.mutate(undefined)}>
              New recovery codes
            </button>
          </div>
        </>
      )}
    </section>
  );
}
