import { Credentials, EmailField, OtherWay } from './credentials.tsx';
import { useApi } from './shop.tsx';

/** NIST 800-63B 3.1.1: length is what counts; the gateway judges the rest. */
const passwordLengthMin = 8;

export default function SignUpPage() {
  const api = useApi();
  return (
    <Credentials
      title="Create an account"
      send={(form) => api.register({ name: form('name'), email: form('email'), password: form('password') })}
      other={<OtherWay to="/sign-in" question="Already have one?" answer="Sign in" />}
    >
      <label className="field">
        Name
        <input name="name" autoComplete="name" required maxLength={100} />
      </label>
      <EmailField />
      <label className="field">
        Password
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
    </Credentials>
  );
}
