/** How a person proved who they are, in the words of RFC 8176 (amr) and of NIST SP 800-63B (acr). The session keeps it and passports state it. */

/** The methods of one sign-in, separated by spaces, as the session's record keeps them. The record keeps '' for a password alone. */
export type Amr = 'pwd otp mfa' | 'pwd hwk mfa' | 'pwd swk mfa' | 'hwk user mfa' | 'swk user mfa';

export const amrOf = (session: { readonly state: 'guest' | 'user'; readonly amr: string }): string[] =>
  session.state === 'guest' ? [] : (session.amr === '' ? 'pwd' : session.amr).split(' ');

/** A guest proved nothing (aal0). Two factors, or a passkey that verified the person, are aal2. */
export function acrOf(session: { readonly state: 'guest' | 'user'; readonly amr: string }): 'aal0' | 'aal1' | 'aal2' {
  if (session.state === 'guest') return 'aal0';
  return amrOf(session).includes('mfa') ? 'aal2' : 'aal1';
}
