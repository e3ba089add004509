import type { Session } from '@cloakroom/contracts/http';

export interface GuestParts {
  readonly readSession: () => Promise<Session>;
  readonly startGuest: () => Promise<Session>;
  /** Runs the critical part in one tab at a time, because all tabs share the cookie. */
  readonly alone: <Result>(run: () => Promise<Result>) => Promise<Result>;
}

/**
 * Two first writes sent in parallel without a cookie would become two guests with a cart each. So every first write waits here for one session.
 * The first component or tab that needs it asks for it once.
 */
export function createGuestStarter(parts: GuestParts): () => Promise<Session> {
  let underWay: Promise<Session> | undefined;
  const start = (): Promise<Session> =>
    parts.alone(async () => {
      const session = await parts.readSession();
      return session.state === 'none' ? await parts.startGuest() : session;
    });
  return () => {
    underWay ??= start().finally(() => (underWay = undefined));
    return underWay;
  };
}

/** Uses the Web Locks API. Without it (an insecure origin) only the components of one tab wait for each other. */
export async function aloneAmongTabs<Result>(run: () => Promise<Result>): Promise<Result> {
  if (!('locks' in navigator)) return run();
  let result: { readonly value: Result } | undefined;
  await navigator.locks.request('cloakroom-first-session', async () => {
    result = { value: await run() };
  });
  if (result === undefined) throw new Error('the lock was given without running its holder');
  return result.value;
}
