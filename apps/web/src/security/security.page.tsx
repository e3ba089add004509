import { useQuery } from '@tanstack/react-query';
import { Link } from 'react-router';
import { EmailSection, PasswordSection } from './credentials-section.tsx';
import { NoticesSection } from './notices.tsx';
import { PasskeysSection } from './passkeys-section.tsx';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { RecoveryCodesSection } from './recovery-codes-section.tsx';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';
import { TwoStepSection } from './two-step-section.tsx';

/** The person's credentials and factors. Each change asks for a fresh proof first (step-up.tsx), and then offers to end the other sessions. */
export default function SecurityPage() {
  const api = useApi();
  const { session } = useSession();
  const isUser = session?.state === 'user';
  const factors = useQuery({ queryKey: keys.factors, queryFn: ({ signal }) => api.factors(signal), enabled: isUser });
  if (!isUser)
    return (
      <p>
        <Link to="/sign-in?next=/account/security">Sign in</Link> to see how your account is kept safe.
      </p>
    );
  return (
    <div className="sections">
      <title>Security · Cloakroom</title>
      <PasswordSection />
      {factors.isPending && (
        <div className="sheet">
          <Loading what="your ways to sign in" />
        </div>
      )}
      <ProblemNote error={factors.error} onRetry={() => void factors.refetch()} />
      {factors.data && <PasskeysSection passkeys={factors.data.passkeys} />}
      {factors.data && <TwoStepSection active={factors.data.totp.active} />}
      {factors.data && (factors.data.totp.active || factors.data.passkeys.length > 0) && (
        <RecoveryCodesSection left={factors.data.recoveryCodesLeft} />
      )}
      <EmailSection />
      <NoticesSection />
    </div>
  );
}
