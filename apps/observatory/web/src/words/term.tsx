import { useId, type ReactNode } from 'react';
import { words, type WordName } from './words.ts';

/** A word of the trade. A press explains it in one sentence, and names the file that does it. */
export function Term({ word, children }: { readonly word: WordName; readonly children?: ReactNode }) {
  const id = useId();
  const { term, meaning, file } = words[word];
  return (
    <span className="term-place">
      <button type="button" className="term" popoverTarget={id}>
        {children ?? term}
      </button>
      <span id={id} popover="auto" className="explanation" role="note" aria-label={`What ${term} means`}>
        <strong>{term}</strong> {meaning}
        <code>{file}</code>
      </span>
    </span>
  );
}

/** All words of a view, for those who read a page from its end, and for print. */
export function WordList({ of }: { readonly of: readonly WordName[] }) {
  return (
    <details className="word-list">
      <summary>The words on this page</summary>
      <dl>
        {of.map((name) => (
          <div key={name}>
            <dt>{words[name].term}</dt>
            <dd>
              {words[name].meaning} <code>{words[name].file}</code>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
