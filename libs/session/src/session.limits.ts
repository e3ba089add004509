/** How long sessions live and how many there may be. Each number has its reason (ASVS 5.0 7.1.1 and 7.1.2; docs/sessions.md says the same). */
const minuteMs = 60_000;
const hourMs = 60 * minuteMs;
const dayMs = 24 * hourMs;

export const limits = {
  guest: {
    /** A guest may come back to a cart after a week-end. A thief of a guest's cookie gets only a cart. */
    idleTimeoutMs: 7 * dayMs,
    /** The same bound as for users, so that one tombstone lifetime fits all. */
    absoluteTimeoutMs: 30 * dayMs,
  },
  user: {
    /** A browser that was not used for a day may be in other hands. Step-up protects everything worth stealing besides. */
    idleTimeoutMs: 24 * hourMs,
    /** NIST SP 800-63B AAL1: re-authenticate at least every 30 days, whatever the activity. */
    absoluteTimeoutMs: 30 * dayMs,
  },
  /** How old an authentication may be for check-out, password, e-mail, factors and ending devices. Long enough to finish a check-out. */
  stepUpAgeMaxMs: 5 * minuteMs,
  /** Covers phones, tablets, computers and browsers of one person, and a few forgotten ones. It also bounds every loop over a person's sessions. */
  sessionCountMax: 10,
  /** The idle limit moves at most this often: one write a minute and session, not one a request. A session ends early by this much at most. */
  touchIntervalMs: minuteMs,
  /** Within this, the predecessor of a refresh token gets the successor too: two tabs may refresh at once, or an answer may be lost on the way. */
  refreshGraceMs: 10_000,
} as const;

/** An epoch must outlive every session that it killed, or they would live again: the longest absolute limit, and a day for clocks that disagree. */
export const epochLifetimeMs = Math.max(limits.guest.absoluteTimeoutMs, limits.user.absoluteTimeoutMs) + dayMs;
