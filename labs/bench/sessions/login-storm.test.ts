import { expect, it } from 'vitest';
import { benchLoginStorm } from './login-storm.ts';
import { loginStormReport } from './login-storm.report.ts';
import { describeMachine } from '../measuring/machine.ts';

it('the login storm measures resolve before and during the storm, in one run', async () => {
  const pairs = await benchLoginStorm({ pairs: 1, seconds: 0.3 });
  const { tables, verdicts } = loginStormReport(pairs, describeMachine(new Date()), 'npm run bench -- login-storm');
  expect(pairs[0]!.quiet.perSecond).toBeGreaterThan(0);
  expect(pairs[0]!.storm.shed).toBeGreaterThan(0);
  expect(tables[0]!.rows.map(([name]) => name)).toEqual(['quiet', 'during the storm']);
  expect(verdicts).toHaveLength(1);
});
