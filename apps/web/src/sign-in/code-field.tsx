/** A field for six digits of an authenticator app. Phones and password managers can fill it in. */
export function CodeField({ label = 'Code of your authenticator app' }: { readonly label?: string }) {
  return (
    <label className="field">
      {label}
      <input
        name="code"
        className="code"
        inputMode="numeric"
        autoComplete="one-time-code"
        pattern="\s*[0-9]{6}\s*"
        title="6 digits"
        required
        maxLength={10}
      />
    </label>
  );
}

export function RecoveryCodeField() {
  return (
    <label className="field">
      Recovery code
      <input name="recoveryCode" className="code" autoComplete="off" autoCapitalize="none" spellCheck={false} required maxLength={64} />
      <span className="quiet">One of those you saved. Each is good once.</span>
    </label>
  );
}
