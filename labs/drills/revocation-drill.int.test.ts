import { expect, it } from 'vitest';
import { describeDrill, drillRevokeEverything } from './revocation-drill.ts';

it(
  'npm run revoke-everything ends every session at both gateways within the lease, though they have them cached',
  { timeout: 900_000 },
  async () => {
    const outcome = await drillRevokeEverything({ base: 22_500, sessionCount: 1_000 });
    expect(outcome.acceptedAfterwards).toBe(0);
    expect(outcome.checked).toBe(1_000);
    for (const { acceptedBefore } of outcome.gateways) expect(acceptedBefore).toBeGreaterThan(100);
    expect(outcome.told).toMatch(/^Every session made before epoch \d+ has ended/);
    expect(describeDrill(outcome)).toContain('1000 sessions');
  },
);
