import { formatTime } from '../format.ts';

/** @param heardAt when the region that decides about the stock was last heard; undefined while it answers */
export function stockHeardWords(heardAt: string | undefined, locale?: string): string | undefined {
  if (heardAt === undefined) return undefined;
  const time = formatTime(heardAt, locale);
  return `Another region counts the stock. It was last heard at ${time}. Until it can be reached again, this region sells what was set aside for it.`;
}

/** Says that the stock on this page is what this region can sell by itself. */
export function StockHeard({ heardAt }: { readonly heardAt: string | undefined }) {
  const words = stockHeardWords(heardAt);
  return words === undefined ? null : (
    <p className="note notice">
      <output>{words}</output>
    </p>
  );
}
