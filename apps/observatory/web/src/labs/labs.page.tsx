import { useEffect } from 'react';
import { Link } from 'react-router';
import type { LabListView, ListedLabView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { Loading } from '../frame/states.tsx';
import { dateAndTime } from '../words/numbers.ts';
import { Term, WordList } from '../words/term.tsx';
import { labTimeoutMs, needsWords } from './lab-words.ts';

/** The labs in the order of the course. No result stands here: a person predicts first. */
export default function LabsPage() {
  const { value, failure } = useReading<LabListView>('/api/labs', undefined, labTimeoutMs);
  useEffect(() => {
    document.title = 'Labs · Observatory';
  }, []);
  return (
    <div className="labs-page">
      <h1>What everybody says, put to the test</h1>
      <p className="lead">
        Each <Term word="lab" /> takes one claim. Predict, let it run on the real code, see, then change one number and predict again. In a
        terminal it is <code>npm run lab</code>, with the same results.
      </p>
      {failure && failure.kind !== 'away' && !value && <p className="note problem">{failure.message}</p>}
      {value?.labs !== undefined && (
        <ol className="labs">
          {value.labs.map((lab, index) => (
            <Entry key={lab.name} lab={lab} number={index + 1} />
          ))}
        </ol>
      )}
      {value && value.labs === undefined && <NoLabs />}
      {!value && !failure && <Loading what="the labs" />}
      <footer className="words-here">
        <WordList of={['lab', 'arm', 'control', 'interval', 'verdict', 'load']} />
      </footer>
    </div>
  );
}

function Entry({ lab: { name, claim, question, minutes, needs, predicted, ownRunAt }, number }: EntryProps) {
  return (
    <li className="lab-entry">
      <span className="lab-number" aria-hidden="true">
        {number}
      </span>
      <div>
        <h2>
          <Link to={`/labs/${name}`}>“{claim}”</Link>
        </h2>
        <p>{question}</p>
        <p className="quiet lab-facts">
          <span>
            <code>{name}</code>
          </span>
          <span>{minutes}</span>
          <span>{needsWords(needs)}</span>
          {predicted && <span className="good-text">you predicted</span>}
          {ownRunAt !== undefined && <span className="good-text">you ran it on {dateAndTime(ownRunAt)}</span>}
        </p>
      </div>
    </li>
  );
}

interface EntryProps {
  readonly lab: ListedLabView;
  readonly number: number;
}

export function NoLabs() {
  return (
    <div className="nothing-yet">
      <h2>There are no labs here</h2>
      <p>
        Labs are experiments on the shop and no part of what ships. They come with a development checkout, in its folder <code>labs</code>.
        Start the shop there with <code>npm start</code>, and they stand here.
      </p>
    </div>
  );
}
