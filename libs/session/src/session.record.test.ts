import fc from 'fast-check';
import { expect, it } from 'vitest';
import { deviceLabel, fieldBytesMax } from './session.record.ts';

it('never lets a device label past 64 bytes, and never cuts a character', () => {
  fc.assert(
    // A cut character would read as U+FFFD, so the text itself must have none.
    fc.property(
      fc.string({ unit: 'grapheme', maxLength: 200 }).map((any) => any.replaceAll('\ufffd', '')),
      (text) => {
        const label = deviceLabel(text);
        expect(Buffer.byteLength(label)).toBeLessThanOrEqual(fieldBytesMax);
        expect(label).not.toContain('\ufffd');
        expect(
          text
            .replaceAll(/\p{Cc}/gu, ' ')
            .trim()
            .startsWith(label),
        ).toBe(true);
      },
    ),
  );
});
it('keeps a label of exactly 64 bytes whole', () => {
  expect(deviceLabel('x'.repeat(64))).toBe('x'.repeat(64));
  expect(deviceLabel('€'.repeat(22))).toBe('€'.repeat(21));
});
it('drops what a terminal or a page would act on', () => {
  expect(deviceLabel('Fire\u001b[31mfox\r\n')).toBe('Fire [31mfox');
  expect(deviceLabel('half \ud83e')).toBe('half \ufffd');
});
it('does not look at more than it can keep', () => {
  expect(deviceLabel('x'.repeat(1_000_000))).toBe('x'.repeat(64));
});
