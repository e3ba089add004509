import { stringify } from 'yaml';

/**
 * Documents as text that old readers understand too. Version 1.1 quotes `no`, `off` and numbers with
 * colons, which they would not read as text.
 */
export function toYaml(...documents: readonly object[]): string {
  return documents.map((document) => stringify(document, { version: '1.1', lineWidth: 0, aliasDuplicateObjects: false })).join('---\n');
}
