import type { Session } from '@cloakroom/contracts/http';

/** Names the person that the page is for. The page must not show one person's data to another. */
export function identityOf(session: Session): string {
  return session.state === 'user' ? `user:${session.user?.id ?? ''}` : session.state;
}

/** Tells the person that the identity changed under the page. `expected`: they pressed "Sign out" on this page themselves. */
export function noticeOfChange(before: string, after: string, expected: boolean): string | undefined {
  const wasUser = before.startsWith('user:');
  if (wasUser && after.startsWith('user:')) return 'You are now signed in to another account.';
  if (expected) return undefined;
  if (wasUser) return 'You were signed out. Your session has ended, here or on another device.';
  if (before === 'guest' && after === 'none') return 'Your guest session has ended. What you add now starts a new cart.';
  return undefined;
}
