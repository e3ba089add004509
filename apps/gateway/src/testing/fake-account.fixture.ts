/** The test's own AccountService, beside FakeAuth. It accepts what is right, and shows what it was asked. */
import { AccountService, problem, type Problem, type SessionIssued } from '@cloakroom/contracts';
import { implement, type Implementation, type RequestContext } from '@cloakroom/mesh';
import type { FakeAuth } from './fake-auth.fixture.ts';

type Issued = Pick<SessionIssued, 'token' | 'session' | 'endedOldest' | 'knownDevice' | 'currentTokenOwn'>;
type Seen = { readonly method: string; readonly ctx: RequestContext; readonly request: unknown }[];

export const rightCode = '123456';

export function fakeAccount(auth: FakeAuth, seen: Seen): Implementation {
  const issue = (changes = {}, current = ''): Issued => {
    const token = auth.begin('user', changes);
    const currentTokenOwn = auth.sessions.has(current) || auth.selfContained.isOwn(current);
    return { token, session: auth.sessionOf(token).view, endedOldest: false, knownDevice: '', currentTokenOwn };
  };
  const rotate = ({ token }: { token: string }): Issued => {
    const session = auth.sessionOf(token);
    session.live = false;
    return issue({ handle: session.view.handle, subject: session.view.subject });
  };
  const answering = <Request, Answer>(method: string, answer: (request: Request) => Answer | Problem) => {
    return (ctx: RequestContext, request: Request): Promise<Answer | Problem> => {
      seen.push({ method, ctx, request });
      return Promise.resolve(auth.note(method, request) ?? answer(request));
    };
  };
  const options = () => ({ challenge: 'challenge-1', options: JSON.stringify({ challenge: 'AAAA', rpId: 'localhost' }) });
  const passkey = { passkeyId: 'p1', name: 'Laptop', createdAtMs: 1_000n, lastUsedAtMs: 0n };
  const codes = () => ({ codes: ['ABCDEF-GHIJKL-MNOPQR-STUVWX'], otherSessions: 2 });
  const byId = (request: { userId: string }) => (request.userId === 'unknown' ? problem('not_found') : {});
  return implement(AccountService, {
    changePassword: answering('changePassword', rotate),
    changeEmail: answering('changeEmail', (request: { email: string; token: string }) =>
      request.email === 'taken@example.com' ? problem('email_taken') : rotate(request),
    ),
    listFactors: answering('listFactors', () => ({ totpActive: true, recoveryCodesLeft: 9, passkeys: [passkey] })),
    beginTotp: answering('beginTotp', () => ({ secret: 'JBSWY3DP', uri: 'otpauth://totp/x' })),
    confirmTotp: answering('confirmTotp', (request: { code: string }) =>
      request.code === rightCode ? codes() : problem('invalid_second_factor'),
    ),
    removeTotp: answering('removeTotp', () => ({ otherSessions: 2 })),
    newRecoveryCodes: answering('newRecoveryCodes', codes),
    passkeyCreationOptions: answering('passkeyCreationOptions', options),
    addPasskey: answering('addPasskey', () => ({ passkey, recoveryCodes: [], otherSessions: 1 })),
    removePasskey: answering('removePasskey', () => ({ otherSessions: 1 })),
    passkeyRequestOptions: answering('passkeyRequestOptions', options),
    loginWithPasskey: answering('loginWithPasskey', ({ currentToken }: { currentToken: string }) => issue({}, currentToken)),
    loginSecondFactor: answering(
      'loginSecondFactor',
      (request: { proof: { case?: string | undefined; value?: unknown }; currentToken: string }) =>
        request.proof.case === 'code' && request.proof.value !== rightCode
          ? problem('invalid_second_factor')
          : issue({}, request.currentToken),
    ),
    reauthenticateWithPasskey: answering('reauthenticateWithPasskey', rotate),
    listNotices: answering('listNotices', () => ({ notices: [{ atMs: 1_000n, kind: 'factor_added', text: 'Added.' }] })),
    findUsers: answering('findUsers', () => ({
      users: [{ userId: 'u_1', name: 'Ada', email: 'ada@example.com', role: '', disabled: false, sessions: 1 }],
    })),
    disableUser: answering('disableUser', byId),
    enableUser: answering('enableUser', byId),
    revokeUser: answering('revokeUser', byId),
    revokeEverything: answering('revokeEverything', () => ({ globalEpoch: 1n })),
    revokeEverythingByOperator: () => Promise.resolve(problem('forbidden')),
  });
}
