/** The two lines across the ocean: each mirror copies the log of the other shore. Told in words in the sea, so this is for the eye alone. */
import type { StackView } from '../../../src/api.ts';
import type { Boxes } from './boxes.ts';
import { shoresOf } from './ocean-actions.ts';
import { shortWordsOfWay } from './sea-words.ts';

/** Beyond the right side of the cards, each line in its own lane. The words of the first stand before it, those of the second after it. */
const lanePx = [24, 42] as const;
const wordsPx = [-6, 14] as const;
const cornerPx = 12;

export function SeaLines({
  ocean,
  boxes,
  lit,
}: {
  readonly ocean: StackView['ocean'];
  readonly boxes: Boxes;
  readonly lit: string | undefined;
}) {
  return (ocean?.ways ?? []).flatMap((one, index) => {
    const { way, state, mirror } = one;
    const [from, to] = shoresOf(way);
    const [log, copier] = [boxes.get(`kafka-${from}`), boxes.get(`mirror-${to}`)];
    if (log === undefined || copier === undefined) return [];
    const isLit = lit === `kafka-${from}` || lit === `mirror-${to}`;
    const lane = Math.max(log.right, copier.right) + (lanePx[index] ?? 0);
    const [startY, endY] = [(log.top + log.bottom) / 2, (copier.top + copier.bottom) / 2];
    const turn = endY > startY ? cornerPx : -cornerPx;
    const path =
      `M${log.right} ${startY}H${lane - cornerPx}Q${lane} ${startY} ${lane} ${startY + turn}` +
      `V${endY - turn}Q${lane} ${endY} ${lane - cornerPx} ${endY}H${copier.right}`;
    const behind = mirror !== undefined && mirror.records > 0;
    const classes = ['crossing', state, behind && 'behind', isLit && 'lit', lit !== undefined && !isLit && 'dim'].filter(Boolean);
    return [
      <g key={way} className={classes.join(' ')} data-way={way}>
        <path d={path} />
        <text textAnchor="middle" transform={`translate(${lane + (wordsPx[index] ?? 0)} ${(startY + endY) / 2}) rotate(-90)`}>
          {shortWordsOfWay(one)}
        </text>
        <path className="arrow" d={`M${copier.right + 9} ${endY - 5}L${copier.right} ${endY}L${copier.right + 9} ${endY + 5}`} />
      </g>,
    ];
  });
}
