/** The page asks for length alone (NIST 800-63B 3.1.1). The gateway judges the rest. */
const passwordLengthMin = 8;

export function NewPasswordField({ label }: { readonly label: string }) {
  return (
    <label className="field">
      {label}
      <input
        name="password"
        type="password"
        autoComplete="new-password"
        required
        minLength={passwordLengthMin}
        maxLength={200}
        aria-describedby="password-hint"
      />
      <span id="password-hint" className="quiet">
        At least {passwordLengthMin} characters. A few random words are better than one clever one.
      </span>
    </label>
  );
}
