import type { Session } from '@cloakroom/contracts/http';

/** Who the page is for: what was read for one identity must not be shown to another. */
export function identityOf(session: Session): string {
  return session.state === 'user' ? `user:${session.user?.id ?? ''}` : session.state;
}

/** What the person is told when the identity changed under the page. `expected`: they pressed "Sign out" here themselves. */
export function noticeOfChange(before: string, after: string, expected: boolean): string | undefined {
  const wasUser = before.startsWith('user:');
  if (wasUser && after.startsWith('user:')) return 'You are now signed in to another account.';
  if (expected) return undefined;
  if (wasUser) return 'You were signed out. Your session has ended, here or on another device.';
  if (before === 'guest' && after === 'none') return 'Your guest session has ended. What you add now starts a new cart.';
  return undefined;
}
