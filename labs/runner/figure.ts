/** One picture of a result, light and dark, that can be read on a phone: 360 px wide, with units, rounds and date in it. */
import { Error as errorsOnly, logger, parse, View } from 'vega';
import { compile, type TopLevelSpec } from 'vega-lite';
import type { FigureAxis, FigureData, Lab, Result } from './lab.ts';

export type Shade = 'light' | 'dark';

/** Colours that people with any kind of colour vision can tell apart (Okabe and Ito, 2008), in a shade for either ground. */
const colours: Readonly<Record<Shade, readonly string[]>> = {
  light: ['#0072b2', '#d55e00', '#007a5a', '#aa4499', '#7a6000'],
  dark: ['#56b4e9', '#f0a35e', '#2fc79a', '#e79ac6', '#e6c84f'],
};
const ink: Readonly<Record<Shade, { readonly ground: string; readonly text: string; readonly rule: string }>> = {
  light: { ground: '#ffffff', text: '#1a1a1a', rule: '#d0d0d0' },
  dark: { ground: '#15171a', text: '#ececec', rule: '#44484d' },
};
/** A phone in upright hands. */
const widthPx = 340;
const barHeightPx = 26;
const logTickCount = 4;

export async function drawFigure(lab: Lab, result: Result, shade: Shade): Promise<string> {
  const view = new View(
    parse(compile(figureSpec(lab.figure(result), captionOf(lab, result), shade), { logger: logger(errorsOnly) }).spec),
    { renderer: 'none' },
  );
  try {
    return `${await view.toSVG()}\n`;
  } finally {
    view.finalize();
  }
}

/** Rounds, length and date of the run. A person copies a picture without its page. */
export function captionOf(lab: Lab, { quick, at, machine }: Result): string {
  const rounds = quick ? lab.rounds.quick : lab.rounds.full;
  return `${rounds} round${rounds === 1 ? '' : 's'}${quick ? ', quick' : ''} · ${at.slice(0, 10)} · ${machine.cores} cores, Node ${machine.node.slice(1)}`;
}

export function figureSpec(figure: FigureData, caption: string, shade: Shade): TopLevelSpec {
  const { ground, text, rule } = ink[shade];
  const bars = figure.mark === 'bar';
  const series = figure.series === undefined ? {} : seriesOf(figure.series, figure.mark, colours[shade]);
  const font = { labelColor: text, titleColor: text, labelFontSize: 12, titleFontSize: 12 };
  return {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: { text: wrapped(figure.title), subtitle: wrapped(caption), color: text, subtitleColor: text, anchor: 'start', fontSize: 14 },
    background: ground,
    width: widthPx,
    // The width is that of the whole picture, labels and all.
    autosize: { type: 'fit-x', contains: 'padding' },
    ...(bars ? { height: { step: barHeightPx } } : { height: 240 }),
    padding: 10,
    data: { values: figure.points },
    encoding: { x: axisOf(figure.x), y: axisOf(figure.y, bars ? undefined : heightLength), ...series },
    layer: bars
      ? [
          { mark: { type: 'bar', color: colours[shade][0] } },
          { mark: { type: 'text', align: 'left', dx: 4, color: text }, encoding: valueOf(figure.x) },
        ]
      : [{ mark: { type: 'line', point: { size: 50 }, color: colours[shade][0] } }],
    config: {
      font: 'system-ui, sans-serif',
      axis: { ...font, gridColor: rule, domainColor: rule, tickColor: rule, labelLimit: 0 },
      legend: { ...font, orient: 'bottom', direction: 'vertical', labelLimit: 0, symbolStrokeWidth: 0 },
      view: { stroke: 'transparent' },
    },
  } as unknown as TopLevelSpec;
}

/** @param length of a line of the title, where it must be broken */
const axisOf = ({ field, title, type, scale }: FigureAxis, length?: number) => ({
  field,
  type,
  title: length === undefined ? title : wrapped(title, length),
  ...(type === 'quantitative' ? { scale: { type: scale ?? 'linear' } } : { sort: null }),
  // A line at each tenth of a decade would hide the points.
  ...(scale === 'log' && { axis: { tickCount: logTickCount } }),
});

/** The number at the end of a bar: a bar of 0 cannot be seen. */
const valueOf = ({ field }: FigureAxis) => ({ text: { field, type: 'quantitative', format: '.3~r' }, color: null });

/** A series has a colour and, on lines, a shape and dashes too: colour alone tells nothing to some. */
function seriesOf(field: string, mark: FigureData['mark'], range: readonly string[]): object {
  const channel = { field, type: 'nominal', sort: null, title: null };
  return mark === 'bar'
    ? { color: { ...channel, scale: { range } }, yOffset: { field, sort: null } }
    : { color: { ...channel, scale: { range } }, shape: channel, strokeDash: channel };
}

const lineLength = 36;
/** A title that stands upright beside a chart. */
const heightLength = 32;

/** Breaks a title into lines, since SVG does not. */
export function wrapped(text: string, length = lineLength): string[] {
  const lines: string[] = [];
  for (const word of text.split(' ')) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < length) lines[lines.length - 1] = `${line} ${word}`;
    else lines.push(word);
  }
  return lines;
}
