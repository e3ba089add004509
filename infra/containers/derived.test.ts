/** The committed files are those that the drawing gives, and the program that reads each file accepts it. */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { DCLinter } from 'dclint';
import { afterAll, describe, expect, it } from 'vitest';
import { parseAllDocuments } from 'yaml';
import { derivedFiles } from './derived.ts';

const infra = join(import.meta.dirname, '..');
const files = await derivedFiles();
const folder = mkdtempSync(join(tmpdir(), 'cloakroom-derived-'));
afterAll(() => rmSync(folder, { recursive: true }));

describe.each(Object.keys(files))('infra/%s', (path) => {
  it('is what the drawing says (else: node infra/containers/write.ts)', () => {
    expect(readFileSync(join(infra, path), 'utf8')).toBe(files[path]);
  });

  it('parses without a warning', () => {
    const documents = parseAllDocuments(files[path]!, { version: '1.2', strict: true, uniqueKeys: true });
    expect([documents].flat().flatMap((document) => ('errors' in document ? [...document.errors, ...document.warnings] : []))).toEqual([]);
  });
});

/** Errors by the Compose specification's schema and the linter's rules. The order of keys is a matter of taste, so it is not checked. */
function complaints(text: string): string[] {
  const file = join(folder, 'compose.yaml');
  writeFileSync(file, text);
  const matters = (rule: string) => !/order$|^require-quotes-in-ports$|^require-project-name-field$/.test(rule);
  const linter = new DCLinter({ rules: {}, quiet: false, debug: false, exclude: [] });
  const [result] = linter.lintFiles([file], false) as readonly { messages: { rule: string; message: string }[] }[];
  return result!.messages.filter(({ rule }) => matters(rule)).map(({ rule, message }) => `${rule}: ${message}`);
}

describe.each(Object.keys(files).filter((path) => path.startsWith('compose')))('infra/%s', (path) => {
  const text = files[path]!;

  it('is valid by the Compose specification', () => {
    expect(complaints(text)).toEqual([]);
  });

  it.each(
    [
      ['a misspelt key', text.replace('mem_limit:', 'memory_limit:')] as const,
      ['a value of another type', text.replace(/pids_limit: \d+/, 'pids_limit: [1]')] as const,
      ['services under another name', text.replace('services:', 'service:')] as const,
      ['an image of no version', text.replace(/image: ([\w./-]+):\S+\d/, 'image: $1')] as const,
      ...(text.includes('- 127.0.0.1:') ? [['a port on every interface', text.replace('- 127.0.0.1:', '- ')] as const] : []),
    ].map(([what, broken]) => ({ what, broken })),
  )('is refused with $what', ({ broken }) => {
    expect(broken).not.toBe(text);
    expect(complaints(broken)).not.toEqual([]);
  });
});
