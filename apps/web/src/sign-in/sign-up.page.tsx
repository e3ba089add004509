import { Credentials, EmailField, OtherWay } from './credentials.tsx';
import { NewPasswordField } from './new-password-field.tsx';
import { useApi } from '../api/shop.tsx';

export default function SignUpPage() {
  const api = useApi();
  return (
    <Credentials
      title="Create an account"
      newcomersOnly
      send={(form) => api.register({ name: form('name'), email: form('email'), password: form('password') })}
      other={<OtherWay to="/sign-in" question="Already have one?" answer="Sign in" />}
    >
      <label className="field">
        Name
        <input name="name" autoComplete="name" required maxLength={100} />
      </label>
      <EmailField />
      <NewPasswordField label="Password" />
    </Credentials>
  );
}
