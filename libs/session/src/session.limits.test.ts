import { readFileSync } from 'node:fs';
import { expect, it } from 'vitest';
import { epochLifetimeMs, limits } from './session.limits.ts';

const minute = 60_000;
const [hour, day] = [60 * minute, 24 * 60 * minute];

it('are what docs/sessions.md says, all of them', () => {
  const text = readFileSync(new URL('../../../docs/sessions.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('## Limits'), text.indexOf('## The token'));
  const rows = [...section.matchAll(/^\| ([^|]+) \| (\d+[^|]*) \|/gm)].map(([, name, value]) => [name!.trim(), value!.trim()]);
  expect(rows).toEqual([
    ['guest, idle', `${limits.guest.idleTimeoutMs / day} days`],
    ['guest, absolute', `${limits.guest.absoluteTimeoutMs / day} days`],
    ['user, idle', `${limits.user.idleTimeoutMs / hour} hours`],
    ['user, absolute', `${limits.user.absoluteTimeoutMs / day} days`],
    ['step-up', `${limits.stepUpAgeMaxMs / minute} minutes`],
    ['parallel sessions', `${limits.sessionCountMax}`],
    ['touch', `${limits.touchIntervalMs / minute} minute`],
    ['refresh grace', `${limits.refreshGraceMs / 1_000} seconds`],
  ]);
});
it('let an epoch outlive every session that it killed', () => {
  for (const limit of [limits.guest, limits.user]) {
    expect(limit.idleTimeoutMs).toBeLessThan(limit.absoluteTimeoutMs);
    expect(epochLifetimeMs).toBeGreaterThan(limit.absoluteTimeoutMs);
  }
});
