import { execFileSync, spawnSync } from 'node:child_process';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { lacksNamespaces } from './namespaces.ts';

const names = ['kafka-1', 'kafka-2', 'kafka-3'];
const pairs = names.flatMap((from) => names.filter((to) => to !== from).map((to) => `${from} ${to}`));
const whole = { outside: names, pairs };

it(
  'a partition between namespaces really parts brokers, is mended, and leaves nothing on the machine',
  { timeout: 120_000 },
  ({ skip }) => {
    const lack = lacksNamespaces();
    skip(lack !== undefined, lack);
    const output = execFileSync('unshare', ['--net', process.execPath, join(import.meta.dirname, 'namespaces.fixture.ts')], {
      encoding: 'utf8',
    });
    const seen = JSON.parse(output.trim().split('\n').at(-1)!) as Record<string, unknown>;
    expect(seen).toEqual({
      whole,
      apart: { outside: ['kafka-1', 'kafka-3'], pairs: ['kafka-1 kafka-3', 'kafka-3 kafka-1'] },
      mended: whole,
      // A TCP connection needs both directions.
      'one way': { outside: whole.outside, pairs: pairs.filter((pair) => pair !== 'kafka-1 kafka-3' && pair !== 'kafka-3 kafka-1') },
      'mended again': whole,
    });
    expect(spawnSync('ip', ['netns', 'list'], { encoding: 'utf8' }).stdout).not.toContain('cloakroom-chaos');
  },
);
