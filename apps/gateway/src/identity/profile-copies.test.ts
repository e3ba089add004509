import { create } from '@bufbuild/protobuf';
import { ProfileSchema } from '@cloakroom/contracts';
import { expect, it, onTestFinished, vi } from 'vitest';
import { ProfileCopies } from './profile-copies.ts';

const named = (name: string) => create(ProfileSchema, { name });

it('a read that was asked before a write was answered does not replace what was written', () => {
  const copies = new ProfileCopies({ nowMs: () => 0, monotonicMs: () => 300 });
  copies.keep('u_1', named('written'), 200);
  copies.keep('u_1', named('asked before'), 100);
  expect(copies.find('u_1')).toMatchObject({ profile: { name: 'written' }, ageMs: 100 });
  copies.keep('u_1', named('asked after'), 250);
  expect(copies.find('u_1')).toMatchObject({ profile: { name: 'asked after' }, ageMs: 50 });
  expect(copies.find('u_2')).toBeUndefined();
});

it('a copy is shown for five minutes, and then deleted', () => {
  vi.useFakeTimers();
  onTestFinished(() => void vi.useRealTimers());
  let nowMs = 1;
  const copies = new ProfileCopies({ nowMs: () => 0, monotonicMs: () => nowMs });
  const pass = (ms: number) => {
    nowMs += ms;
    vi.advanceTimersByTime(ms);
  };
  for (const subject of ['u_1', 'u_2']) copies.keep(subject, named('ada'), 1);
  pass(5 * 60_000);
  expect(copies.find('u_1')).toMatchObject({ ageMs: 5 * 60_000 });
  pass(1);
  expect(copies.count).toBe(0);
  expect(copies.find('u_1')).toBeUndefined();
});
