/** The four ways to check a session, in plain words (docs/sessions.md has the figures and how they were measured). */
import type { SessionMode } from '@cloakroom/contracts/http';

interface ModeWords {
  readonly name: string;
  /** Says how fast the end of such a session takes effect. */
  readonly ending: string;
  /** Says why a shop that others reach does not offer this mode. */
  readonly studyOnly?: string;
}

export const modeWords: Readonly<Record<SessionMode, ModeWords>> = {
  reference: { name: 'Reference', ending: 'Every request asks who it is. Ended here, it is refused at its next request.' },
  hybrid: {
    name: 'Hybrid',
    ending: 'Remembered by the gateways, which hear of every end. Ended here, it is refused within a moment, or seconds if a part fails.',
  },
  jwt: {
    name: 'JWT',
    ending: 'The browser carries a signed statement, and nobody is asked. Ended here, it can go on for up to 5 minutes.',
    studyOnly: 'For study only: a thief who signs in as you would choose this one. A shop in production refuses it.',
  },
  'jwt-denylist': {
    name: 'JWT + denylist',
    ending: 'A signed statement, compared with a list of ended sessions: refused within a moment, like hybrid.',
  },
};

/** A newer gateway may know a mode that this page does not. */
export const wordsOf = (mode: string): ModeWords =>
  Object.hasOwn(modeWords, mode) ? modeWords[mode as SessionMode] : { name: mode, ending: '' };

/** A person has no more sessions than this. One more sign-in ends the session that was idle longest (docs/sessions.md). */
export const sessionCountMax = 10;
