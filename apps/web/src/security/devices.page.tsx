import type { Device } from '@cloakroom/contracts/http';
import { useMutation, useQuery, useQueryClient } from '@tanstack/react-query';
import { useRef } from 'react';
import { Link } from 'react-router';
import { formatTime } from '../format.ts';
import { Loading, ProblemNote } from '../components/problem-note.tsx';
import { useNotices } from './notices.tsx';
import { sessionCountMax, wordsOf } from '../session/session-modes.ts';
import { useSession } from '../session/session.tsx';
import { keys, useApi } from '../api/shop.tsx';
import { useStepUp } from '../sign-in/step-up.tsx';
import { useToast } from '../components/toasts.tsx';

/** Lists where the person is signed in. To end a session, the page asks for the password again if the last proof is old. */
export default function DevicesPage() {
  const api = useApi();
  const { session } = useSession();
  const withStepUp = useStepUp();
  const queryClient = useQueryClient();
  const toast = useToast();
  const heading = useRef<HTMLHeadingElement>(null);
  const isUser = session?.state === 'user';
  const devices = useQuery({ queryKey: keys.devices, queryFn: ({ signal }) => api.devices(signal), enabled: isUser });
  const end = useMutation({
    mutationFn: (handle: string | undefined) => withStepUp(() => (handle === undefined ? api.endOtherDevices() : api.endDevice(handle))),
    onSuccess: (_ended, handle) => {
      toast({ text: handle === undefined ? 'All other sessions are ended.' : 'That session is ended.' });
      // The button disappears with its line.
      heading.current?.focus();
    },
    onSettled: () => queryClient.invalidateQueries({ queryKey: keys.devices }),
  });
  if (!isUser)
    return (
      <p>
        <Link to="/sign-in?next=/account/devices">Sign in</Link> to see your devices.
      </p>
    );
  return (
    <section aria-labelledby="devices" className="sheet">
      <title>Devices · Cloakroom</title>
      <h2 id="devices" ref={heading} tabIndex={-1}>
        Devices you are signed in on
      </h2>
      <p className="quiet">
        You may be signed in on {sessionCountMax} at once. One more, and the one you left alone longest is signed out.
      </p>
      <EndedByTheShop />
      {devices.isPending && <Loading what="your devices" />}
      <ProblemNote error={devices.error} onRetry={() => void devices.refetch()} />
      <ProblemNote error={end.error} />
      <ul className="lines" aria-labelledby="devices">
        {devices.data?.map((device) => (
          <DeviceLine key={device.handle} device={device} busy={end.isPending} onEnd={() => end.mutate(device.handle)} />
        ))}
      </ul>
      {devices.data?.some((device) => !device.current) && (
        <div className="row">
          <button type="button" aria-disabled={end.isPending} onClick={() => !end.isPending && end.mutate(undefined)}>
            End all others
          </button>
        </div>
      )}
      {devices.data?.every((device) => device.current) && <p className="quiet">You are signed in nowhere else.</p>}
    </section>
  );
}

const endedKinds: ReadonlySet<string> = new Set(['oldest_ended', 'refresh_reused']);
const toldForMs = 7 * 24 * 60 * 60_000;

/** Names the newest session that the shop ended by itself within the last week, for a person who misses a device. */
function EndedByTheShop() {
  const { data, dataUpdatedAt } = useNotices();
  const ended = data?.items.find(({ kind, at }) => endedKinds.has(kind) && dataUpdatedAt - Date.parse(at) < toldForMs);
  if (ended === undefined) return null;
  return (
    <p className="note notice">
      {ended.text} ({formatTime(ended.at)})
    </p>
  );
}

/** Its button is never `disabled`. A disabled button would lose the focus, and the password dialog gives the focus back to it. */
function DeviceLine({ device, busy, onEnd }: { readonly device: Device; readonly busy: boolean; readonly onEnd: () => void }) {
  const name = device.device || 'Unknown device';
  const mode = wordsOf(device.mode);
  return (
    <li className="device" aria-label={device.current ? `${name}, this device` : name}>
      <div className="line-name">
        <strong>
          {name} {device.current && <span className="badge">This device</span>}
        </strong>
        <span className="quiet">
          Signed in {formatTime(device.createdAt)} · last seen {formatTime(device.lastSeenAt)}
        </span>
        <span className="quiet">
          <strong>{mode.name}</strong> {mode.ending}
        </span>
      </div>
      {!device.current && (
        <button type="button" aria-disabled={busy} aria-label={`End session on ${name}`} onClick={() => !busy && onEnd()}>
          End session
        </button>
      )}
    </li>
  );
}
