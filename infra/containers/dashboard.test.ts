import { globSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { metrics, startDefaultMetrics } from '@cloakroom/platform';
import { expect, it } from 'vitest';
import { panels } from './dashboard.ts';

const repository = join(import.meta.dirname, '..', '..');

/** Every metric that our code declares, and those that prom-client collects of any process. */
function declaredNames(): Set<string> {
  const sources = globSync('{apps,libs}/*/src/**/*.ts', { cwd: repository, exclude: (path) => path.endsWith('.test.ts') });
  const own = sources.flatMap((path) => {
    const text = readFileSync(join(repository, path), 'utf8');
    return /new (?:Counter|Gauge|Histogram|Summary)\b/.test(text)
      ? [...text.matchAll(/\bname: '([a-z][a-z0-9_]+)'/g)].map((found) => found[1]!)
      : [];
  });
  startDefaultMetrics();
  return new Set([...own, ...metrics.getMetricsAsArray().map(({ name }) => name)]);
}

/** Names of metrics in a query: words that are no function, keyword, label or text. */
function metricsOf(query: string): string[] {
  const bare = query
    .replace(/"[^"]*"/g, '')
    .replace(/\{[^}]*\}/g, '')
    .replace(/\bby \([^)]*\)/g, '')
    .replace(/\[\w+\]/g, '');
  const words = [...bare.matchAll(/[a-z_][a-z0-9_]*(?!\w*\s*\()/g)].map(([word]) => word);
  return words.filter((word) => word.includes('_'));
}

it('the dashboard asks only for metrics that the code has', () => {
  const declared = declaredNames();
  const asked = panels.flatMap(({ queries }) => queries.flatMap(({ query }) => metricsOf(query)));
  expect(new Set(asked).size).toBeGreaterThan(15);
  const exists = (name: string) => declared.has(name) || declared.has(name.replace(/_(bucket|count|sum)$/, ''));
  expect([...new Set(asked)].filter((name) => !exists(name))).toEqual([]);
  expect(exists('gateway_requests_total')).toBe(false);
});

it('every panel has a separate name and meaning', () => {
  expect(new Set(panels.map(({ title }) => title)).size).toBe(panels.length);
  for (const { tells, queries } of panels) {
    expect(tells).toMatch(/\.$/);
    expect(queries.length).toBeGreaterThan(0);
  }
});
