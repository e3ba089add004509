import { useMutation } from '@tanstack/react-query';
import { useRef, useState, type RefObject } from 'react';
import type { SecondFactor } from '../api/api.types.ts';
import { Credentials, EmailField, OtherWay, useEnter } from './credentials.tsx';
import { askedMode, ModeChoice } from './mode-choice.tsx';
import { passkeysAreSupported, provePasskey } from '../session/passkeys.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { ApiProblem } from '../api/request.ts';
import { SecondFactorStep } from './second-factor-step.tsx';
import { useApi } from '../api/shop.tsx';

export default function SignInPage() {
  const api = useApi();
  const [second, setSecond] = useState<SecondFactor>();
  const password = useRef<HTMLInputElement>(null);
  const back = (): void => {
    setSecond(undefined);
    // By the time of the focus the form is visible again.
    requestAnimationFrame(() => password.current?.focus());
  };
  return (
    <>
      <Credentials
        title="Sign in"
        hidden={second !== undefined}
        send={async (form) => {
          try {
            return await api.login({ email: form('email'), password: form('password'), ...askedMode(form('mode')) });
          } catch (error) {
            if (!(error instanceof ApiProblem) || error.secondFactor === undefined) throw error;
            setSecond(error.secondFactor);
            return undefined;
          }
        }}
        other={
          <>
            <PasskeyDoor form={password} />
            <OtherWay to="/sign-up" question="New here?" answer="Create an account" />
          </>
        }
      >
        <EmailField autoComplete="username" />
        <label className="field">
          Password
          <input ref={password} name="password" type="password" autoComplete="current-password" required maxLength={200} />
        </label>
        <ModeChoice />
      </Credentials>
      {second && <SecondFactorStep asked={second} onBack={back} />}
    </>
  );
}

/** A passkey is both factors at once. It also names its account. */
function PasskeyDoor({ form }: { readonly form: RefObject<HTMLInputElement | null> }) {
  const api = useApi();
  const enter = useEnter();
  const entering = useMutation({
    mutationFn: async () => {
      const { challenge, options } = await api.passkeyRequest();
      const response = await provePasskey(options);
      const mode = new FormData(form.current?.form ?? undefined).get('mode');
      return api.loginWithPasskey({ challenge, response, ...askedMode(typeof mode === 'string' ? mode : '') });
    },
    onSuccess: enter,
  });
  if (!passkeysAreSupported()) return null;
  return (
    <div className="stack passkey-door">
      <p className="or" aria-hidden="true">
        or
      </p>
      <ProblemNote error={entering.error} />
      <button type="button" aria-busy={entering.isPending} onClick={() => !entering.isPending && entering.mutate()}>
        {entering.isPending ? 'Waiting for your passkey…' : 'Sign in with a passkey'}
      </button>
    </div>
  );
}
