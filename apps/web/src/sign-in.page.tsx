import { Credentials, EmailField, OtherWay } from './credentials.tsx';
import { useApi } from './shop.tsx';

export default function SignInPage() {
  const api = useApi();
  return (
    <Credentials
      title="Sign in"
      send={(form) => api.login({ email: form('email'), password: form('password') })}
      other={<OtherWay to="/sign-up" question="New here?" answer="Create an account" />}
    >
      <EmailField />
      <label className="field">
        Password
        <input name="password" type="password" autoComplete="current-password" required maxLength={200} />
      </label>
    </Credentials>
  );
}
