import type { SessionMode } from '@cloakroom/contracts/http';
import { wordsOf } from '../session/session-modes.ts';
import { useSession } from '../session/session.tsx';

/** Lets a person who studies sessions choose the mode of the next one. It shows nothing if the operator allows only one. */
export function ModeChoice() {
  const { session } = useSession();
  const modes = session?.modes;
  if (modes === undefined || modes.allowed.length < 2) return null;
  return (
    <details className="mode-choice">
      <summary>Session mode (for study)</summary>
      <fieldset className="stack">
        <legend className="quiet">How the shop shall check this session. It changes how fast ending it takes effect.</legend>
        {modes.allowed.map((mode) => (
          <ModeOption key={mode} mode={mode} isUsual={mode === modes.default} />
        ))}
      </fieldset>
    </details>
  );
}

function ModeOption({ mode, isUsual }: { readonly mode: SessionMode; readonly isUsual: boolean }) {
  const { name, ending, studyOnly } = wordsOf(mode);
  return (
    <label className="mode-option">
      <input type="radio" name="mode" value={mode} defaultChecked={isUsual} />
      <span>
        <strong>{name}</strong>
        {isUsual && <span className="quiet"> (usual)</span>}
        {studyOnly !== undefined && <span className="badge warn mode-mark">Outlives its end</span>}
        <span className="quiet mode-ending">{ending}</span>
        {studyOnly !== undefined && <span className="mode-ending mode-warning">{studyOnly}</span>}
      </span>
    </label>
  );
}

/** Reads the choice from the form around a ModeChoice. Without a choice the operator's default counts. */
export const askedMode = (mode: string): { readonly mode?: SessionMode } => (mode === '' ? {} : { mode: mode as SessionMode });
