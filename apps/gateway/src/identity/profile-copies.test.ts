import { create } from '@bufbuild/protobuf';
import { ProfileSchema } from '@cloakroom/contracts';
import { expect, it } from 'vitest';
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

it('a copy is shown for five minutes', () => {
  let nowMs = 0;
  const copies = new ProfileCopies({ nowMs: () => 0, monotonicMs: () => nowMs });
  copies.keep('u_1', named('ada'), 0);
  nowMs = 5 * 60_000;
  expect(copies.find('u_1')).toMatchObject({ ageMs: nowMs });
  nowMs += 1;
  expect(copies.find('u_1')).toBeUndefined();
});
