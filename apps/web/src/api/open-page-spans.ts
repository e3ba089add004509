/** Gives the page's spans their clock, their way to the gateway, and the person's clicks. */
import { createPageSpans, type PageSpans } from './page-spans.ts';

/** Several spans go together. The Observatory shows them soon enough to be looked at. */
const idleMaxMs = 500;
/** A clock of the page that is further off from the system's has slept, or the system's was set. */
const clockGapMaxMs = 20;

/** Both clocks tell the same moment. The page's has fractions of a millisecond. */
function wallMs(): number {
  const precise = performance.timeOrigin + performance.now();
  const system = Date.now();
  return Math.abs(precise - system) > clockGapMaxMs ? system : precise;
}

const storageName = 'observatory';

function recallWatched(): boolean {
  try {
    return localStorage.getItem(storageName) !== null;
  } catch {
    return false;
  }
}

function rememberWatched(isWatched: boolean): void {
  try {
    if (isWatched) localStorage.setItem(storageName, 'watches');
    else localStorage.removeItem(storageName);
  } catch {
    // Without storage the first reads after a reload have no browser's part.
  }
}

export function openPageSpans(): PageSpans {
  const spans = createPageSpans({
    clock: () => performance.now(),
    wallMs,
    randomBytes: (count) => crypto.getRandomValues(new Uint8Array(count)),
    // Sent past the session bar, which would show it as the last request. The gateway makes no span of it either.
    send: async (body) => {
      try {
        const answer = await fetch('/api/page-spans', {
          method: 'POST',
          headers: { 'content-type': 'application/json' },
          body: JSON.stringify(body),
          keepalive: true,
        });
        return answer.status !== 404;
      } catch {
        return true;
      }
    },
    whenIdle: (run) => void setTimeout(run, idleMaxMs),
    recall: recallWatched,
    remember: rememberWatched,
  });
  addEventListener('click', ({ timeStamp }) => spans.acted(timeStamp), { capture: true });
  addEventListener('pagehide', spans.flush);
  return spans;
}
