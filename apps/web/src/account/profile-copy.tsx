import type { Profile } from '@cloakroom/contracts/http';
import { copyWords } from './copy-words.ts';

/** Says that the page shows a copy. With what the home region answers it shows nothing. */
export function CopyNote({ profile, onRetry }: { readonly profile: Profile | undefined; readonly onRetry: () => void }) {
  if (profile?.copy === undefined) return null;
  return (
    <div className="note notice">
      <p>
        <output>{copyWords(profile.copy)}</output>
      </p>
      <button type="button" onClick={onRetry}>
        Ask again
      </button>
    </div>
  );
}
