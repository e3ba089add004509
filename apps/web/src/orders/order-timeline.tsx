import type { OrderStep } from '@cloakroom/contracts/http';
import { laterWords, stepTone, stepWord } from './order-words.ts';

/** The saga's events from the topic order.events, oldest first. Each says how long after the one before it came. */
export function OrderTimeline({ steps, isPending }: { readonly steps: readonly OrderStep[]; readonly isPending: boolean }) {
  return (
    <ol className="timeline" aria-labelledby="steps">
      {steps.map(({ name, at }, index) => {
        const before = steps[index - 1];
        return (
          // A step may come twice (stock that was set aside again), so the place in the list is the key.
          <li key={`${index} ${name}`} data-tone={stepTone(name)}>
            <span>
              <strong>{stepWord(name)}</strong> <code className="quiet">{name}</code>
            </span>
            <span className="quiet">
              <time dateTime={at}>{formatClock(at)}</time>
              {before && ` ${laterWords(Date.parse(at) - Date.parse(before.at))}`}
            </span>
          </li>
        );
      })}
      {isPending && (
        <li data-tone="waiting">
          <span>Waiting for the card…</span>
        </li>
      )}
    </ol>
  );
}

function formatClock(iso: string): string {
  const time = new Date(iso);
  return Number.isNaN(time.getTime()) ? '' : new Intl.DateTimeFormat(undefined, { timeStyle: 'medium' }).format(time);
}
