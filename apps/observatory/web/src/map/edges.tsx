/** The edges of the map: drawn between the cards where there is room, and always as a table. */
import type { RefObject } from 'react';
import type { EdgeView, StackView } from '../../../src/api.ts';
import { type Boxes, useBoxes } from './boxes.ts';
import { markMs, type Journey } from './journeys.ts';
import { routeOf } from './route.ts';
import { SeaLines } from './sea-lines.tsx';
import { ms, percent } from '../words/numbers.ts';
import { Term } from '../words/term.tsx';

interface EdgesProps {
  readonly place: RefObject<HTMLElement | null>;
  readonly edges: readonly EdgeView[];
  readonly lit: string | undefined;
  readonly stack: StackView;
  readonly journeys: readonly Journey[];
}

export function EdgeLines({ place, edges, lit, stack, journeys }: EdgesProps) {
  const boxes = useBoxes(place, stack);
  const drawn = edges.flatMap((edge) => {
    const from = boxes.get(edge.from);
    const to = boxes.get(edge.to);
    return from && to ? [{ edge, ...routeOf(from, to, boxes) }] : [];
  });
  return (
    <svg className="edge-lines" aria-hidden="true">
      {drawn.map(({ edge, path, x, y }) => {
        const isLit = lit === edge.from || lit === edge.to;
        const busy = edge.perSecond > 0;
        const state = [busy && 'busy', edge.failedPart > 0 && 'failing', isLit && 'lit', lit !== undefined && !isLit && 'dim'];
        return (
          <g key={`${edge.from} ${edge.to}`} className={`edge ${state.filter(Boolean).join(' ')}`}>
            <path d={path} strokeWidth={1 + Math.min(4, Math.log2(1 + edge.perSecond))} />
            {isLit && busy && (
              <text x={x} y={y} textAnchor="middle">
                {rate(edge.perSecond)}
                {edge.p99Ms !== undefined && ` · ${ms(edge.p99Ms)}`}
              </text>
            )}
          </g>
        );
      })}
      <SeaLines ocean={stack.ocean} boxes={boxes} lit={lit} />
      {journeys.flatMap((journey) => marksOf(journey, boxes))}
    </svg>
  );
}

/** A mark for each hop of a request of one's own. Hops whose ends are not on the map are passed in silence, and keep their time. */
function marksOf({ traceId, hops, stepMs }: Journey, boxes: Boxes) {
  return hops.flatMap(({ from, to, failed }, index) => {
    const [start, end] = [boxes.get(from), boxes.get(to)];
    if (!start || !end) return [];
    const style = {
      offsetPath: `path("${routeOf(start, end, boxes).path}")`,
      animationDelay: `${index * stepMs}ms`,
      animationDuration: `${markMs}ms`,
    };
    return [
      <circle key={`${traceId} ${index}`} r={6} className={failed ? 'mark failed' : 'mark'} style={style} data-hop={`${from} ${to}`} />,
    ];
  });
}

const rate = (perSecond: number): string => `${perSecond >= 10 ? Math.round(perSecond) : Math.round(perSecond * 10) / 10}/s`;

export function EdgeTable({ edges }: { readonly edges: readonly EdgeView[] }) {
  const shown = edges.toSorted((a, b) => b.perSecond - a.perSecond);
  return (
    <section aria-labelledby="edges">
      <h2 id="edges">Who asks whom, in the last 10 s</h2>
      {shown.length === 0 ? (
        <p className="quiet">Nobody asked anybody. Open the shop and look at something.</p>
      ) : (
        <div className="table">
          <table>
            <caption className="visually-hidden">Edges of the map</caption>
            <thead>
              <tr>
                <th scope="col">From</th>
                <th scope="col">To</th>
                <th scope="col" className="number">
                  <Term word="rate">Rate</Term>
                </th>
                <th scope="col" className="number">
                  <Term word="p99" />
                </th>
                <th scope="col" className="number">
                  Failed
                </th>
              </tr>
            </thead>
            <tbody>
              {shown.map((edge) => (
                <tr key={`${edge.from} ${edge.to}`}>
                  <th scope="row">{edge.from}</th>
                  <td data-label="asks">{edge.to}</td>
                  <td className="number" data-label="Rate">
                    {rate(edge.perSecond)}
                  </td>
                  <td className="number" data-label="p99">
                    {edge.p99Ms === undefined ? '–' : ms(edge.p99Ms)}
                  </td>
                  <td className={`number${edge.failedPart > 0 ? ' bad' : ''}`} data-label="Failed">
                    {percent(edge.failedPart)}
                  </td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </section>
  );
}
