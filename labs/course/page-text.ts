/** Reads a lab's page into blocks. The Observatory draws them in its own look, so no HTML travels. */
import type { TextBlock, TextPart } from '@cloakroom/contracts';
import { parsers } from 'prettier/plugins/markdown';

/** A node of the syntax tree (mdast). */
interface Node {
  readonly type: string;
  readonly value?: string;
  readonly depth?: number;
  readonly ordered?: boolean;
  readonly url?: string;
  readonly children?: readonly Node[];
}

/** Without the title, which the other page has already, and without HTML, which is the figure. */
export function blocksOf(markdown: string): TextBlock[] {
  // The parser of this plugin is written for any options, and reads none of them.
  const { children = [] } = parsers.markdown.parse(markdown, {} as never) as Node;
  return children.flatMap(blockOf);
}

function blockOf(node: Node): TextBlock[] {
  const { type, depth = 1, value = '', ordered = false, children = [] } = node;
  if (type === 'heading') return depth === 1 ? [] : [{ kind: 'heading', depth, parts: partsOf(node) }];
  if (type === 'code') return [{ kind: 'code', text: value }];
  if (type === 'list') return [{ kind: 'list', ordered, items: children.map((item) => partsOf(item)) }];
  if (type === 'table') return [{ kind: 'table', rows: children.map((row) => (row.children ?? []).map((cell) => partsOf(cell))) }];
  if (type === 'blockquote') return children.flatMap(blockOf);
  const parts = type === 'paragraph' ? partsOf(node) : [];
  return parts.length === 0 ? [] : [{ kind: 'paragraph', parts }];
}

const styles: Readonly<Record<string, TextPart['style']>> = { strong: 'strong', emphasis: 'emphasis', inlineCode: 'code' };

function partsOf(node: Node, style: TextPart['style'] = 'plain', href?: string): TextPart[] {
  const { type, value, children = [], url } = node;
  if (type === 'html') return [];
  const own = styles[type] ?? style;
  if (value !== undefined) return [{ text: value.replaceAll('\n', ' '), style: own, href }];
  const to = type === 'link' && url?.startsWith('https://') === true ? url : href;
  return children.flatMap((child) => partsOf(child, own, to));
}
