import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { portsOf, readMetricTable, serviceNames } from '@cloakroom/infra';
import { expect, newPerson, test } from '../kit/device.ts';
import { portBase } from '../kit/stack.ts';

const table = readMetricTable(readFileSync(join(import.meta.dirname, '..', '..', 'docs', 'telemetry.md'), 'utf8'));

/** `name{label="value",...} number` of the exposition format. */
function samplesOf(text: string) {
  return text
    .split('\n')
    .filter((line) => line !== '' && !line.startsWith('#'))
    .map((line) => {
      const [, name, labels = ''] = /^([a-z_0-9]+)(?:\{(.*)\})? /i.exec(line)!;
      return { name: name!, labels: [...labels.matchAll(/(\w+)="([^"]*)"/g)].map(([, key, value]) => ({ key: key!, value: value! })) };
    });
}

test('every exported metric is in the table with its labels, and names no person', async ({ newDevice, products }) => {
  const device = await newDevice();
  await device.add(products[0]!);
  await device.register(newPerson());
  await device.expectCart({ [products[0]!]: 1 });
  const wrong: string[] = [];
  const told = new Set<string>();
  const ports = portsOf(portBase);
  for (const port of [...ports.gateways, ...serviceNames.map((name) => ports[name].admin)]) {
    for (const { name, labels } of samplesOf(await (await fetch(`http://127.0.0.1:${port}/metrics`)).text())) {
      const base = table.has(name) ? name : name.replace(/_(bucket|count|sum)$/, '');
      told.add(base);
      if (/^(process|nodejs)_/.test(name)) continue;
      const row = table.get(base);
      if (row === undefined) wrong.push(`${name} is not in docs/telemetry.md`);
      for (const { key, value } of labels) {
        if (key !== 'le' && row?.labels.includes(key) !== true) wrong.push(`${name} has a label ${key}`);
        if (/[gu]_[0-9a-f]{8}|[0-9a-f]{8}-[0-9a-f]{4}-|@/.test(value)) wrong.push(`${name}{${key}="${value}"}`);
      }
    }
  }
  expect(wrong).toEqual([]);
  for (const name of [
    'event_log_consumer_lag_seconds',
    'revocation_lease_age_seconds',
    'auth_outbox_waiting',
    'cart_projector_next_offset',
  ])
    expect(told, 'looked at something').toContain(name);
});
