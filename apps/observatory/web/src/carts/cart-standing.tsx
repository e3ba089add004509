import type { CartLogView, PartitionView, PlacesView } from '../../../src/api.ts';
import { useReading } from '../api/use-reading.ts';
import { CartDevices } from './cart-devices.tsx';

const watermarkRereadMs = 1_000;

/** How far the view has come in this cart's partition, and each device that reads it. The partition's records belong to many carts. */
export function CartStanding({ log: { cartId, region, partition, steps } }: { readonly log: CartLogView }) {
  const { value } = useReading<PlacesView>('/api/places', watermarkRereadMs);
  const here = value?.partitions.find((one) => one.partition === partition && one.region === region);
  return (
    <>
      {here && <Watermark of={here} />}
      <CartDevices cartId={cartId} region={region} view={here} newest={steps.findLast((step) => step.region === region)?.offset} />
    </>
  );
}

function Watermark({ of: { nextOffset, owner, lagRecords = 0 } }: { readonly of: PartitionView }) {
  return (
    <p className="watermark">
      The view of this partition, written by {owner}, {nextOffset === 0 ? 'holds nothing yet' : `has applied offset ${nextOffset - 1}`}
      {lagRecords === 0 ? ': no record waits.' : `: behind by ${lagRecords} ${lagRecords === 1 ? 'record' : 'records'}.`}
    </p>
  );
}
