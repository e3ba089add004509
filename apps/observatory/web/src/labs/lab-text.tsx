/** The lab's page in this page's look. Its parts never change their order, so their place names them. */
import type { TextBlock, TextPart } from '../../../src/api.ts';

export function LabText({ blocks }: { readonly blocks: readonly TextBlock[] }) {
  if (blocks.length === 0) return null;
  return (
    <article className="card lab-text" aria-labelledby="text">
      <h2 id="text">The lab’s page</h2>
      {blocks.map((block, index) => (
        <Block key={`${index} ${block.kind}`} block={block} />
      ))}
    </article>
  );
}

function Block({ block }: { readonly block: TextBlock }) {
  if (block.kind === 'code') return <pre>{block.text}</pre>;
  if (block.kind === 'paragraph')
    return (
      <p>
        <Parts parts={block.parts} />
      </p>
    );
  if (block.kind === 'heading') {
    const Heading = block.depth === 2 ? 'h3' : 'h4';
    return (
      <Heading>
        <Parts parts={block.parts} />
      </Heading>
    );
  }
  if (block.kind === 'list') {
    const List = block.ordered ? 'ol' : 'ul';
    return (
      <List>
        {block.items.map((parts, index) => (
          <li key={`${index} ${parts[0]?.text ?? ''}`}>
            <Parts parts={parts} />
          </li>
        ))}
      </List>
    );
  }
  return <TextTable rows={block.rows} />;
}

function TextTable({ rows: [head = [], ...rows] }: { readonly rows: readonly (readonly (readonly TextPart[])[])[] }) {
  return (
    <div className="table">
      <table>
        <thead>
          <tr>
            {head.map((parts, column) => (
              <th key={`${column} ${parts[0]?.text ?? ''}`} scope="col">
                <Parts parts={parts} />
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {rows.map((cells, row) => (
            <tr key={`${row} ${cells[0]?.[0]?.text ?? ''}`}>
              {cells.map((parts, column) => (
                <td key={`${column} ${parts[0]?.text ?? ''}`} data-label={head[column]?.map(({ text }) => text).join('')}>
                  <Parts parts={parts} />
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}

const Parts = ({ parts }: { readonly parts: readonly TextPart[] }) =>
  parts.map((part, index) => <Part key={`${index} ${part.text}`} part={part} />);

const tags = { strong: 'strong', emphasis: 'em', code: 'code' } as const;

function Part({ part: { text, style, href } }: { readonly part: TextPart }) {
  const Tag = style === 'plain' ? undefined : tags[style];
  const styled = Tag === undefined ? text : <Tag>{text}</Tag>;
  if (href === undefined) return styled;
  return (
    <a href={href} target="_blank" rel="noreferrer">
      {styled}
    </a>
  );
}
