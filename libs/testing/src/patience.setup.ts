/**
 * Raises the time-out of `vi.waitFor` and `vi.waitUntil` in every test file. They wait for a condition, and vitest
 * gives up after a second by default, which is nothing on a crowded machine. This is only a guard against hanging. A
 * test that promises a time states its own bound.
 */
import { vi } from 'vitest';

const guardMs = 45_000;
const [waitFor, waitUntil] = [vi.waitFor, vi.waitUntil];

function guarded<Options extends { readonly timeout?: number }>(options: Options | number | undefined): Options | number {
  return typeof options === 'number' ? options : ({ timeout: guardMs, ...options } as Options);
}

vi.waitFor = (condition, options) => waitFor(condition, guarded(options));
vi.waitUntil = (condition, options) => waitUntil(condition, guarded(options));
