/** How far each device has seen this cart, against the end of the log. */
import { Link } from 'react-router';
import type { CartDevicesView, CartDeviceView, PartitionView } from '../../../src/api.ts';
import { traineeId } from '../api/trainee.ts';
import { useReading } from '../api/use-reading.ts';
import { clockTime, shortId } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';

const rereadMs = 1_000;

interface DevicesProps {
  readonly cartId: string;
  /** Whose log the offsets are of, where there are two. */
  readonly region: string | undefined;
  /** The partition as its owner tells it; undefined while no process does. */
  readonly view: PartitionView | undefined;
  /** The newest record of this cart that the log was seen to hold. */
  readonly newest: string | undefined;
}

export function CartDevices({ cartId, region, view, newest }: DevicesProps) {
  const { value } = useReading<CartDevicesView>(
    `/api/carts/${encodeURIComponent(cartId)}/devices?mine=${encodeURIComponent(traineeId())}${region === undefined ? '' : `&region=${region}`}`,
    rereadMs,
  );
  const devices = value?.devices ?? [];
  const next = view === undefined ? 0 : view.nextOffset + (view.lagRecords ?? 0);
  // The owner tells its lag after a fetch. A device may know of a newer record already.
  const end = Math.max(next - 1, Number(newest ?? -1), ...devices.map(({ token }) => Number(token)));
  return (
    <section aria-labelledby="cart-devices" className="card cart-devices">
      <h2 id="cart-devices">What each device has seen{region !== undefined && ` in ${region}`}</h2>
      {devices.length === 0 ? (
        <p className="quiet">No device has read this cart lately, or written to it. Open the cart page of the shop.</p>
      ) : (
        <>
          <p>
            The <Term word="log" /> ends at <Term word="offset" /> {end}. An answer tells the device its position, and the next read brings
            it as a <Term word="token" />: it is shown no less, or told that the cart is behind.
          </p>
          <div className="table">
            <table>
              <caption className="visually-hidden">How far each device has seen this cart</caption>
              <thead>
                <tr>
                  <th scope="col">Device</th>
                  <th scope="col" className="number">
                    Shows offset
                  </th>
                  <th scope="col" className="number">
                    Brings
                  </th>
                  <th scope="col">Against the end</th>
                </tr>
              </thead>
              <tbody>
                {devices.map((device) => (
                  <Device key={device.session} device={device} end={end} />
                ))}
              </tbody>
            </table>
          </div>
        </>
      )}
    </section>
  );
}

function Device({ device: { session, device, isMine, shown, token }, end }: { readonly device: CartDeviceView; readonly end: number }) {
  return (
    <tr data-session={session}>
      <th scope="row">
        {device ?? 'A device'}, <Link to={`/sessions/${session}`}>session {shortId(session)}</Link>
        {isMine && <span className="quiet"> (yours)</span>}
      </th>
      <td className="number" data-label="Shows offset">
        {shown === undefined ? 'nothing yet' : <Link to={`/requests/${shown.traceId}`}>{shown.offset}</Link>}
        {shown && <span className="quiet"> at {clockTime(shown.atMs)}</span>}
      </td>
      <td className="number" data-label="Brings">
        {token}
      </td>
      <td data-label="Against the end">{standing(shown?.offset, token, end)}</td>
    </tr>
  );
}

/** The partition holds other carts' records too, so a device may be behind and lack nothing. */
export function standing(shown: string | undefined, token: string, end: number): string {
  if (shown === undefined) return 'it wrote, and has not read yet';
  const behind = end - Number(shown);
  if (behind <= 0) return 'up to the end';
  const records = behind === 1 ? '1 record' : `${behind} records`;
  return Number(token) > Number(shown) ? `${records} before it, and it knows of a newer one` : `${records} before it`;
}
