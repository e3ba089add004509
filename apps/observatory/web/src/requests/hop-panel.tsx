/** Beside the drawing: who was believed at the chosen hop and why, the policy that it met, and the budget that was left. */
import type { ReactNode } from 'react';
import type { IdentityView, RequestView, SpanView } from '../../../src/api.ts';
import { hopName } from '../words/names.ts';
import { ms, percent, shortId, wholeMs } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';
import { wordOfDecision, type WordName } from '../words/words.ts';

export function HopPanel({ view, span }: { readonly view: RequestView; readonly span: SpanView }) {
  const lane = view.lanes.find(({ id }) => id === span.lane)?.title ?? span.lane;
  return (
    <section className="hop-panel" aria-label="The chosen hop">
      <p className="eyebrow">{lane}</p>
      <h2>{hopName(span.name)}</h2>
      <p className="quiet">{timesOf(span, view)}</p>
      {span.failure !== undefined && (
        <p className="note problem">
          It failed: <code>{span.failure}</code>
        </p>
      )}
      {span.faultWaits.length > 0 && (
        <p className="note notice">
          A <Term word="fault" /> that is switched on made it wait here:{' '}
          {span.faultWaits.map(({ durationMs }) => ms(durationMs)).join(', ')}.
        </p>
      )}
      <Identity identity={span.identity} span={span} />
      <Budget span={span} />
      {span.log && (
        <>
          <h3>Place in the log</h3>
          <dl className="facts">
            <Fact word="log" name="topic" value={span.log.topic} />
            {span.log.partition !== undefined && <Fact word="log" name="partition" value={String(span.log.partition)} />}
            {span.log.offset !== undefined && <Fact word="log" name="offset" value={span.log.offset} />}
          </dl>
        </>
      )}
      <Attributes span={span} />
    </section>
  );
}

function timesOf(span: SpanView, view: RequestView): string {
  const when = span.afterAnswer
    ? `${ms(span.startMs - view.answerMs)} after the answer`
    : `${ms(Math.max(0, span.startMs))} into the request`;
  const share = view.durationMs > 0 ? span.pathMs / view.durationMs : 0;
  const waited =
    span.pathMs > 0
      ? `You waited ${ms(span.pathMs)} for this hop itself: ${percent(share)}.`
      : span.afterAnswer
        ? 'The answer did not wait for it.'
        : 'It ran beside the path, or waited for others: it made nobody wait itself.';
  return `Began ${when} and took ${ms(span.durationMs)}. ${waited}`;
}

function Identity({ identity, span }: { readonly identity: IdentityView | undefined; readonly span: SpanView }) {
  if (!identity)
    return (
      <>
        <h3>Who was believed here</h3>
        <p className="quiet">
          {span.afterAnswer ? 'This step believed nobody: it moved what was decided before.' : 'This step asked nobody who it was.'}
        </p>
      </>
    );
  return (
    <>
      <h3>Who was believed here, and why</h3>
      <dl className="facts">
        <Fact word={wordOfDecision(identity.decision)} name="decision" value={identity.decision} strong />
        <Fact word="subject" name="subject" value={identity.subject} />
        <Fact word="caller" name="caller" value={callerOf(identity)} />
        <Fact
          word="credential"
          name="shown"
          value={identity.credential && withMore(identity.credential, ageOf(identity.credentialAgeMs))}
        />
        <Fact word="session" name="session" value={identity.session} />
        <Fact word="mode" name="mode" value={identity.mode} />
        <Fact word="actors" name="acted before" value={identity.actors} />
        <Fact word="lease" name="lease age" value={identity.leaseAgeMs === undefined ? undefined : `${ms(identity.leaseAgeMs)} of 2 s`} />
        <Fact word="refusal" name="refused" value={identity.refusal} bad />
      </dl>
      {identity.policy !== undefined && (
        <>
          <h3>
            The <Term word="policy" /> it met
          </h3>
          <ul className="policy" aria-label="Policy">
            {identity.policy.split(/,\s(?=(?:identity|audience|class|callers?|delegates?|budget|mode)\b)/).map((rule) => (
              <li key={rule}>{rule}</li>
            ))}
          </ul>
        </>
      )}
      <Claims claims={identity.claims} credential={identity.credential} />
    </>
  );
}

const withMore = (text: string, more: string | undefined): string => (more === undefined ? text : `${text}, ${more}`);

function callerOf({ caller, callerProof }: IdentityView): string | undefined {
  if (callerProof === undefined) return caller;
  return caller === undefined ? `known by ${callerProof}` : `${caller}, by ${callerProof}`;
}

const ageOf = (ageMs: number | undefined): string | undefined => (ageMs === undefined ? undefined : `${ms(ageMs)} old`);

function Claims({ claims, credential }: { readonly claims: IdentityView['claims']; readonly credential: string | undefined }) {
  if (!claims || Object.keys(claims).length === 0) return null;
  return (
    <>
      <h3>
        <Term word="claims">Claims</Term> of the {claimedBy(credential)}
      </h3>
      <dl className="facts claims" aria-label="Claims">
        {Object.entries(claims).map(([name, value]) => (
          <div key={name}>
            <dt>
              {claimNames[name] !== undefined && `${claimNames[name]} `}
              <code>{name}</code>
            </dt>
            <dd>
              <code title={textOf(value)}>{claimText(name, value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </>
  );
}

/** A cookie's session token says nothing by itself: the claims are those of the passport that auth gave for it. */
function claimedBy(credential: string | undefined): ReactNode {
  if (credential === undefined || credential.includes('passport')) return <Term word="passport">{credential ?? 'passport'}</Term>;
  if (credential !== 'session token') return <Term word="credential">{credential}</Term>;
  return (
    <>
      <Term word="passport">passport</Term> that auth gave for it
    </>
  );
}

/** The first are of RFC 7519, 8176, 8417, 8693 and 9470; gen and the epochs are this shop's (`libs/identity/src/passport.ts`). */
const claimNames: Readonly<Record<string, string>> = {
  sub: 'for this person',
  aud: 'for this service alone',
  iss: 'issued by',
  iat: 'issued at',
  exp: 'ends at',
  act: 'acted for the person',
  jti: 'its own id',
  nbf: 'not before',
  sid: 'session',
  txn: 'id of the request',
  auth_time: 'proved at',
  acr: 'strength of the proof',
  amr: 'ways of the proof',
  scope: 'good for',
  epoch: 'epoch of the person',
  gepoch: 'epoch of everybody',
  gen: 'generation',
};
const instants: ReadonlySet<string> = new Set(['iat', 'exp', 'nbf', 'auth_time']);

const textOf = (value: unknown): string => (typeof value === 'string' ? value : JSON.stringify(value));

/** An instant of a JWT is in seconds since 1970. */
function claimText(name: string, value: unknown): string {
  if (instants.has(name) && typeof value === 'number' && value > 1e9)
    return new Date(value < 1e12 ? value * 1_000 : value).toLocaleTimeString('en-GB');
  return shortId(textOf(value));
}

function Budget({ span: { budget } }: { readonly span: SpanView }) {
  if (!budget) return null;
  return (
    <>
      <h3>
        <Term word="budget">Budget</Term> on entering
      </h3>
      <div className="budget">
        <meter min={0} max={budget.ofMs} value={Math.max(0, budget.leftMs)} aria-label="Budget that is left" />
        <span>
          {wholeMs(budget.leftMs)} of {wholeMs(budget.ofMs)} left
        </span>
      </div>
    </>
  );
}

interface FactProps {
  readonly word: WordName;
  readonly name: ReactNode;
  readonly value: string | undefined;
  readonly strong?: boolean;
  readonly bad?: boolean;
}

function Fact({ word, name, value, strong = false, bad = false }: FactProps) {
  if (value === undefined || value === '') return null;
  return (
    <div>
      <dt>
        <Term word={word}>{name}</Term>
      </dt>
      <dd className={bad ? 'bad' : strong ? 'strong' : undefined}>
        <code>{value}</code>
      </dd>
    </div>
  );
}

function Attributes({ span }: { readonly span: SpanView }) {
  const entries = Object.entries(span.attributes);
  if (entries.length === 0) return null;
  return (
    <details className="attributes">
      <summary>All {entries.length} attributes of this span</summary>
      <dl className="facts">
        {entries.map(([name, value]) => (
          <div key={name}>
            <dt>{name}</dt>
            <dd>
              <code>{String(value)}</code>
            </dd>
          </div>
        ))}
      </dl>
    </details>
  );
}
