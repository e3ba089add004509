/** The second half of a sign-in, after a right password. The page keeps the first half below, hidden, for the way back. */
import type { FactorMethod } from '@cloakroom/contracts/http';
import { useMutation } from '@tanstack/react-query';
import { useEffect, useRef, useState, type FormEvent } from 'react';
import type { SecondFactor, SecondFactorProof } from '../api/api.types.ts';
import { CodeField, RecoveryCodeField } from './code-field.tsx';
import { useEnter } from './credentials.tsx';
import { textOf } from '../components/form.ts';
import { passkeysAreSupported, provePasskey } from '../session/passkeys.ts';
import { ProblemNote } from '../components/problem-note.tsx';
import { ApiProblem } from '../api/request.ts';
import { useApi } from '../api/shop.tsx';

const ways: Readonly<Record<FactorMethod, string>> = {
  totp: 'Use a code of your app',
  passkey: 'Use a passkey',
  recovery_code: 'Use a recovery code',
};

export function SecondFactorStep({ asked, onBack }: { readonly asked: SecondFactor; readonly onBack: () => void }) {
  const api = useApi();
  const enter = useEnter();
  const methods = asked.methods.filter((method) => method !== 'passkey' || passkeysAreSupported());
  const [method, setMethod] = useState(methods[0]);
  const form = useRef<HTMLFormElement>(null);
  const proving = useMutation({
    mutationFn: (proof: SecondFactorProof) => api.loginSecondFactor({ challenge: asked.challenge ?? '', ...proof }),
    onSuccess: enter,
    onError: () => form.current?.querySelector('input')?.select(),
  });
  const byPasskey = useMutation({ mutationFn: async () => proving.mutateAsync({ response: await provePasskey(asked.options ?? {}) }) });
  useEffect(() => form.current?.querySelector<HTMLElement>('input, button')?.focus(), [method]);
  const choose = (next: FactorMethod): void => {
    proving.reset();
    byPasskey.reset();
    setMethod(next);
  };
  const submit = (event: FormEvent<HTMLFormElement>): void => {
    event.preventDefault();
    if (proving.isPending || byPasskey.isPending) return;
    const data = new FormData(event.currentTarget);
    if (method === 'passkey') byPasskey.mutate();
    else proving.mutate(method === 'totp' ? { code: textOf(data, 'code') } : { recoveryCode: textOf(data, 'recoveryCode') });
  };
  const busy = proving.isPending || byPasskey.isPending;
  const error = proving.error ?? byPasskey.error;
  return (
    <div className="sheet narrow-page">
      <title>Second step · Cloakroom</title>
      <h1>One more step</h1>
      <p>Your password is right. This account asks for a second proof.</p>
      <form ref={form} onSubmit={submit} className="stack">
        <ProblemNote error={error} />
        {method === 'totp' && <CodeField />}
        {method === 'recovery_code' && <RecoveryCodeField />}
        <button className="primary" aria-busy={busy}>
          {busy ? 'One moment…' : method === 'passkey' ? 'Use a passkey' : 'Continue'}
        </button>
      </form>
      <div className="other-way row">
        {methods
          .filter((other) => other !== method)
          .map((other) => (
            <button key={other} type="button" className="plain" onClick={() => choose(other)}>
              {ways[other]}
            </button>
          ))}
        <button type="button" className="plain" onClick={onBack}>
          {isOver(error) ? 'Begin again' : 'Back'}
        </button>
      </div>
    </div>
  );
}

const isOver = (error: unknown): boolean => error instanceof ApiProblem && error.code === 'challenge_expired';
