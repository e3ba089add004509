import type { Session } from '@cloakroom/contracts/http';

export interface GuestParts {
  readonly readSession: () => Promise<Session>;
  readonly startGuest: () => Promise<Session>;
  /** Runs the critical part alone among all tabs of this browser: they share the cookie. */
  readonly alone: <Result>(run: () => Promise<Result>) => Promise<Result>;
}

/**
 * Two first writes sent in parallel without any cookie would be two guests with a cart each. So every first write waits here for one session,
 * asked for once, whichever component or tab came first.
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

/** The Web Locks API; without it (an insecure origin) tabs are not kept apart, components of one tab still are. */
export async function aloneAmongTabs<Result>(run: () => Promise<Result>): Promise<Result> {
  if (!('locks' in navigator)) return run();
  let result: { readonly value: Result } | undefined;
  await navigator.locks.request('cloakroom-first-session', async () => {
    result = { value: await run() };
  });
  if (result === undefined) throw new Error('the lock was given without running its holder');
  return result.value;
}
