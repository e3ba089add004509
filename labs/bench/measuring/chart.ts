/** Charts as SVG, by Vega-Lite: a specification, without drawing code of our own. */
import { parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';

export interface Chart {
  readonly title: string;
  readonly values: readonly Readonly<Record<string, string | number | boolean>>[];
  readonly x: Axis;
  readonly y: Axis;
  /** A field; each of its values gets a colour. */
  readonly colour?: string;
  readonly mark: 'bar' | 'line' | 'point';
  /** Fields that hold the two ends of the range around the value. */
  readonly range?: readonly [string, string];
  /** A goal, drawn as a line across the axis of the quantity. */
  readonly goal?: number;
}

export interface Axis {
  readonly field: string;
  readonly title: string;
  readonly type: 'quantitative' | 'nominal' | 'ordinal';
  readonly scale?: 'linear' | 'log';
}

export async function drawSvg(chart: Chart): Promise<string> {
  const view = new View(parse(compile(specOf(chart)).spec), { renderer: 'none' });
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

export function specOf(chart: Chart): TopLevelSpec {
  const axis = ({ field, title, type, scale }: Axis) => ({
    field,
    type,
    title,
    // Bars keep the given order, so that pairs stay beside each other.
    ...(type === 'quantitative' ? { scale: { type: scale ?? 'linear' } } : { sort: null }),
  });
  const encoding = {
    x: axis(chart.x),
    y: axis(chart.y),
    ...(chart.colour !== undefined && { color: { field: chart.colour, type: 'nominal', title: null, sort: null } }),
  };
  const horizontal = chart.x.type === 'quantitative' && chart.mark === 'bar';
  const [low, high] = chart.range ?? [];
  const rule = horizontal
    ? { y: encoding.y, x: { field: low, type: 'quantitative' }, x2: { field: high } }
    : { x: encoding.x, y: { field: low, type: 'quantitative' }, y2: { field: high } };
  const goal = horizontal ? { x: { datum: chart.goal } } : { y: { datum: chart.goal } };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: chart.title,
    background: 'white',
    width: 560,
    ...(!horizontal && { height: 260 }),
    data: { values: chart.values },
    layer: [
      { mark: chart.mark === 'line' ? { type: 'line', point: true } : { type: chart.mark }, encoding },
      ...(low === undefined ? [] : [{ mark: { type: 'rule', strokeWidth: 2 }, encoding: rule }]),
      ...(chart.goal === undefined ? [] : [{ mark: { type: 'rule', strokeDash: [4, 4], color: 'firebrick' }, encoding: goal }]),
    ],
  } as unknown as TopLevelSpec;
}
