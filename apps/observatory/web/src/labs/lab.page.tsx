import { useEffect, useState } from 'react';
import { Link, useParams } from 'react-router';
import type { LabView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { Loading } from '../frame/states.tsx';
import { WordList } from '../words/term.tsx';
import { LabFindings } from './findings.tsx';
import { labTimeoutMs, maySee, needsWords } from './lab-words.ts';
import { PredictionForm } from './prediction-form.tsx';

/** One lab: the claim, the question, the prediction, and only then what came out. */
export default function LabPage() {
  const { name = '' } = useParams();
  return <OneLab key={name} name={name} />;
}

function OneLab({ name }: { readonly name: string }) {
  const { value: lab, failure, reread } = useReading<LabView>(`/api/labs/${encodeURIComponent(name)}`, undefined, labTimeoutMs);
  const [wants, setWants] = useState<'usual' | 'skip' | 'again'>('usual');
  /** The person has acted here, so the focus goes to what takes the place of the form. */
  const [acted, setActed] = useState(false);
  const want = (next: typeof wants): void => {
    setActed(true);
    setWants(next);
  };
  useEffect(() => {
    document.title = `${name} · Labs · Observatory`;
  }, [name]);
  return (
    <div className="labs-page lab-page">
      <p>
        <Link to="/labs">‹ All labs</Link>
      </p>
      <h1>{lab === undefined ? name : `“${lab.claim}”`}</h1>
      {failure && failure.kind !== 'away' && !lab && <p className="note problem">{failure.message}</p>}
      {lab ? (
        <>
          <p className="lead">{lab.question}</p>
          <p className="quiet lab-facts">
            <span>a full run takes {lab.minutes}</span>
            <span>{needsWords(lab.needs)}</span>
            <span>
              in a terminal <code>npm run lab -- {name}</code>
            </span>
          </p>
          {maySee(lab, wants) ? (
            <LabFindings lab={lab} takesFocus={acted} onPredictAgain={() => want('again')} />
          ) : (
            <PredictionForm
              lab={lab}
              takesFocus={acted}
              onKept={async () => {
                await reread();
                want('usual');
              }}
              onSkip={() => want(wants === 'again' && lab.prediction.given !== undefined ? 'usual' : 'skip')}
            />
          )}
        </>
      ) : (
        !failure && <Loading what="the lab" />
      )}
      <footer className="words-here">
        <WordList of={['lab', 'arm', 'control', 'interval', 'verdict', 'load']} />
      </footer>
    </div>
  );
}
