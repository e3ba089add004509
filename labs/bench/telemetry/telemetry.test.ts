import { expect, it, vi } from 'vitest';
import { benchTelemetry } from './telemetry.ts';

it('the telemetry benchmark compares hooks bypassed, off and on, each in a separate process', async () => {
  const said: string[] = [];
  const print = vi.spyOn(console, 'log').mockImplementation((line: string) => void said.push(line));
  await benchTelemetry(1, { sets: 1, callsPerBlock: 20 });
  print.mockRestore();
  const text = said.join('\n');
  for (const variant of ['bypassed', 'off', 'on']) expect(text).toMatch(new RegExp(`^ *${variant} +\\d+\\.\\d us`, 'm'));
  for (const pair of ['off / bypassed', 'on / off']) expect(text).toMatch(new RegExp(`^${pair}, CPU: \\d`, 'm'));
});
