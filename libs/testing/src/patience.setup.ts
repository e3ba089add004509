/**
 * For every test file: `vi.waitFor` and `vi.waitUntil` wait for a condition, and vitest gives up after a second unless told. On a crowded machine a
 * second is nothing. This is a guard against hanging; a test that holds something to a time says so itself.
 */
import { vi } from 'vitest';

const guardMs = 20_000;
const [waitFor, waitUntil] = [vi.waitFor, vi.waitUntil];

function guarded<Options extends { readonly timeout?: number }>(options: Options | number | undefined): Options | number {
  return typeof options === 'number' ? options : ({ timeout: guardMs, ...options } as Options);
}

vi.waitFor = (condition, options) => waitFor(condition, guarded(options));
vi.waitUntil = (condition, options) => waitUntil(condition, guarded(options));
