/**
 * A history as one page: time runs to the right, a lane a client, operations as bars, faults as bands across them, anomalies marked. Self-contained:
 * no script but the style sheet's, no font, no image from elsewhere; the file can be sent to somebody and opened in ten years.
 */
import type { Anomaly, Fault, History, Operation, Verdict } from '@cloakroom/testing';
import { outcomeWords } from '@cloakroom/testing';
import { timelineStyle } from './timeline.style.ts';

const laneHeight = 22;
const bandHeight = 16;
const labelWidth = 128;
const axisHeight = 22;
/** Enough that calls of a few tens of milliseconds stand beside each other; a long run is drawn denser, as no browser scrolls for ever. */
const pxPerSecondMax = 24;
const widthMaxPx = 24_000;

export interface TimelineRequest {
  readonly history: History;
  readonly verdict: Verdict;
  /** What to type to have it again. */
  readonly rerun: string;
  /** Faults that were not seen to bite, and the like. */
  readonly notes: readonly string[];
}

interface Scale {
  readonly fromMs: number;
  readonly toMs: number;
  x(ms: number): number;
  readonly width: number;
}

export function timelineOf({ history, verdict, rerun, notes }: TimelineRequest): string {
  const scale = scaleOf(history);
  const marked = new Map<number, number[]>();
  for (const [index, { operations }] of verdict.anomalies.entries())
    for (const id of operations) marked.set(id, [...(marked.get(id) ?? []), index + 1]);
  const count = history.operations.length;
  const seconds = Math.round((scale.toMs - scale.fromMs) / 1_000);
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta name="viewport" content="width=device-width">
<title>Chaos, seed ${history.seed}: ${verdict.ok ? 'no anomaly' : `${verdict.anomalies.length} anomalies`}</title>
<style>${timelineStyle}</style>
</head>
<body>
<header>
<h1>${verdict.ok ? '<span class="well">No anomaly</span>' : `<span class="ill">${plural(verdict.anomalies.length, 'anomaly', 'anomalies')}</span>`} in ${plural(count, 'operation', 'operations')}, seed ${history.seed}</h1>
<p>${seconds} s, ${plural(history.faults.length, 'fault', 'faults')}. Again: <code>${escape(rerun)}</code></p>
<p>Acknowledged to visible: ${visible(verdict)}</p>
${legend()}
</header>
<main>
${anomalyList(verdict.anomalies, history, scale)}
<h2 id="chart-title">What happened</h2>
<div class="scroll" tabindex="0" role="group" aria-labelledby="chart-title">
${chart(history, scale, marked)}
</div>
${faultList(history.faults, scale, notes)}
${countTable(history.operations)}
</main>
</body>
</html>
`;
}

function scaleOf({ operations, faults, healedAtMs }: History): Scale {
  const starts = [...operations.map(({ invokedAtMs }) => invokedAtMs), ...faults.map(({ fromMs }) => fromMs), healedAtMs];
  const ends = [...operations.map((one) => one.completedAtMs ?? one.invokedAtMs), healedAtMs];
  const fromMs = starts.reduce((least, ms) => Math.min(least, ms), Infinity);
  const toMs = ends.reduce((most, ms) => Math.max(most, ms), fromMs + 1_000);
  const pxPerMs = Math.min(pxPerSecondMax / 1_000, widthMaxPx / (toMs - fromMs));
  const x = (ms: number): number =>
    Math.round(Math.min(Math.max(ms, fromMs), toMs) - fromMs === 0 ? 0 : (Math.min(ms, toMs) - fromMs) * pxPerMs * 10) / 10;
  return { fromMs, toMs, x, width: Math.ceil((toMs - fromMs) * pxPerMs) + 8 };
}

function chart(history: History, scale: Scale, marked: ReadonlyMap<number, readonly number[]>): string {
  const clients = [...new Set(history.operations.map(({ client }) => client))].toSorted((a, b) =>
    a.localeCompare(b, 'en', { numeric: true }),
  );
  const bands = lanesOf(history.faults);
  const bandsEnd = axisHeight + bands.count * bandHeight + 6;
  const height = bandsEnd + clients.length * laneHeight + 6;
  const lane = new Map(clients.map((client, index) => [client, bandsEnd + index * laneHeight]));
  const labels = clients.map((client) => `<text x="8" y="${lane.get(client)! + 15}">${escape(client)}</text>`).join('');
  const lines = clients.map(
    (client) => `<line x1="0" x2="${scale.width}" y1="${lane.get(client)! + laneHeight}" y2="${lane.get(client)! + laneHeight}"/>`,
  );
  const bars = history.operations.map((one) => bar(one, scale, lane.get(one.client)!, marked.get(one.id))).join('\n');
  const healed = scale.x(history.healedAtMs);
  return `<svg class="labels" width="${labelWidth}" height="${height}" aria-hidden="true"><text x="8" y="${axisHeight + 12}">faults</text>${labels}</svg>
<svg class="chart" width="${scale.width}" height="${height}" role="img" aria-label="Operations of ${clients.length} clients, and ${history.faults.length} faults">
<defs><pattern id="hatch" width="5" height="5" patternUnits="userSpaceOnUse" patternTransform="rotate(45)"><rect width="5" height="5" class="hatch-ground"/><line x1="0" y1="0" x2="0" y2="5" class="hatch-line"/></pattern></defs>
${axis(scale, height)}
<g class="lanes">${lines.join('')}</g>
${history.faults.map((fault, index) => band(fault, index, scale, axisHeight + bands.lane[index]! * bandHeight, height)).join('\n')}
<g class="healed"><line x1="${healed}" x2="${healed}" y1="${axisHeight}" y2="${height}"/><text x="${healed + 4}" y="${axisHeight + 12}">all healed</text></g>
<g class="bars">
${bars}
</g>
</svg>`;
}

/** A tick every ten seconds. */
function axis(scale: Scale, height: number): string {
  const ticks: string[] = [];
  for (let second = 0; scale.fromMs + second * 1_000 <= scale.toMs; second += 10) {
    const x = scale.x(scale.fromMs + second * 1_000);
    ticks.push(`<line x1="${x}" x2="${x}" y1="14" y2="${height}"/><text x="${x + 3}" y="12">${clockOf(second)}</text>`);
  }
  return `<g class="axis">${ticks.join('')}</g>`;
}

/** Faults beside each other get a row each. */
function lanesOf(faults: readonly Fault[]): { readonly lane: readonly number[]; readonly count: number } {
  const ends: number[] = [];
  const lane = faults.map(({ fromMs, toMs }) => {
    const free = ends.findIndex((end) => end <= fromMs);
    const row = free === -1 ? ends.length : free;
    ends[row] = toMs;
    return row;
  });
  return { lane, count: Math.max(1, ends.length) };
}

function band(fault: Fault, index: number, scale: Scale, y: number, height: number): string {
  const x = scale.x(fault.fromMs);
  const width = Math.max(2, scale.x(fault.toMs) - x);
  const text = `${fault.name} ${fault.target}`;
  const title = `${text}, ${clockOf((fault.fromMs - scale.fromMs) / 1_000)} for ${((Math.min(fault.toMs, scale.toMs) - fault.fromMs) / 1_000).toFixed(1)} s`;
  return `<g class="fault" id="fault-${index + 1}"><title>${escape(title)}</title><rect class="shade" x="${x}" y="${y}" width="${width}" height="${height - y}"/><rect class="head" x="${x}" y="${y}" width="${width}" height="${bandHeight - 3}"/><text x="${x + 3}" y="${y + 10}">${escape(text)}</text></g>`;
}

const outcomes = Object.keys(outcomeWords) as (keyof typeof outcomeWords)[];
const reads = new Set<Operation['kind']>(['read', 'preview', 'read-orders', 'read-product', 'use-ended-session']);

/** Writes are tall, reads low; what was never answered reaches to the end of the chart. */
function bar(one: Operation, scale: Scale, y: number, anomalies: readonly number[] | undefined): string {
  const x = scale.x(one.invokedAtMs);
  const width = Math.max(1.5, Math.round((scale.x(one.completedAtMs ?? scale.toMs) - x) * 10) / 10);
  const low = reads.has(one.kind);
  const [top, tall] = low ? [y + 10, 6] : [y + 4, 14];
  const cap = one.kind === 'checkout' ? `<rect class="cap" x="${x}" y="${y + 2}" width="${Math.max(4, width)}" height="3"/>` : '';
  const rect = `<rect class="${one.outcome}" x="${x}" y="${top}" width="${width}" height="${tall}"/>`;
  const title = `<title>${escape(titleOf(one, scale))}</title>`;
  if (anomalies === undefined) return `<g>${title}${rect}${cap}</g>`;
  const middle = x + width / 2;
  const mark = `<path class="mark" d="M${middle} ${y + 9}l-6 -10h12z"/><rect class="frame" x="${x - 1.5}" y="${top - 1.5}" width="${width + 3}" height="${tall + 3}"/>`;
  const label = `Operation ${one.id} of anomaly ${anomalies.join(', ')}`;
  return `<g id="op-${one.id}" tabindex="0" role="img" aria-label="${escape(label)}">${title}${rect}${cap}${mark}</g>`;
}

const titleMax = 400;

function titleOf(one: Operation, scale: Scale): string {
  const took = one.completedAtMs === undefined ? 'no answer' : `${(one.completedAtMs - one.invokedAtMs).toFixed(0)} ms`;
  const at = clockOf((one.invokedAtMs - scale.fromMs) / 1_000, 3);
  const end = one.error ?? (one.output === undefined ? '' : `-> ${JSON.stringify(one.output)}`);
  const head = `#${one.id} ${one.kind} ${outcomeWords[one.outcome]}, ${at}, ${took}, ${one.person} at ${one.gateway}`;
  return `${head}\n${clipped(JSON.stringify(one.input))}\n${clipped(end)}`.trimEnd();
}

const clipped = (text: string): string => (text.length > titleMax ? `${text.slice(0, titleMax)}...` : text);

function anomalyList(anomalies: readonly Anomaly[], { operations }: History, scale: Scale): string {
  if (anomalies.length === 0) return '';
  const byId = new Map(operations.map((one) => [one.id, one]));
  const link = (id: number): string => {
    const one = byId.get(id);
    const said =
      one === undefined
        ? ''
        : ` ${one.kind} ${outcomeWords[one.outcome]} at ${clockOf((one.invokedAtMs - scale.fromMs) / 1_000, 1)} by ${one.client}`;
    return `<a href="#op-${id}">#${id}${escape(said)}</a>`;
  };
  const items = anomalies.map(
    ({ kind, message, operations: ids }) =>
      `<li><strong>${escape(kind)}</strong>: ${escape(message)}${ids.length > 0 ? `<br>${ids.map(link).join(', ')}` : ''}</li>`,
  );
  return `<section class="anomalies"><h2>Anomalies</h2><ol>${items.join('\n')}</ol></section>`;
}

function faultList(faults: readonly Fault[], scale: Scale, notes: readonly string[]): string {
  const rows = faults.map(({ name, target, fromMs, toMs }, index) => {
    const seconds = ((Math.min(toMs, scale.toMs) - fromMs) / 1_000).toFixed(1);
    return `<tr><td>${clockOf((fromMs - scale.fromMs) / 1_000, 1)}</td><td>${seconds} s</td><td><a href="#fault-${index + 1}">${escape(name)}</a></td><td>${escape(target)}</td></tr>`;
  });
  const said = notes.length === 0 ? '' : `<ul>${notes.map((note) => `<li>${escape(note)}</li>`).join('')}</ul>`;
  return `<h2>Faults</h2>${said}<table><thead><tr><th>at</th><th>for</th><th>what</th><th>of what</th></tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function countTable(operations: readonly Operation[]): string {
  const kinds = [...new Set(operations.map(({ kind }) => kind))].toSorted();
  const count = (kind: string, outcome: string) => operations.filter((one) => one.kind === kind && one.outcome === outcome).length;
  const rows = kinds.map((kind) => `<tr><td>${kind}</td>${outcomes.map((outcome) => `<td>${count(kind, outcome)}</td>`).join('')}</tr>`);
  const head = ['kind', ...outcomes.map((outcome) => outcomeWords[outcome])].map((name) => `<th>${name}</th>`).join('');
  return `<h2>Operations</h2><table><thead><tr>${head}</tr></thead><tbody>${rows.join('\n')}</tbody></table>`;
}

function legend(): string {
  const sample = (name: string, text: string): string => `<li><svg width="22" height="14" aria-hidden="true">${name}</svg> ${text}</li>`;
  const items = [
    sample('<rect class="ok" width="20" height="14"/>', 'ok'),
    sample('<rect class="failed" width="20" height="14"/>', 'refused: for certain, nothing was done'),
    sample('<rect class="unknown" width="20" height="14"/>', 'unknown: may have happened'),
    sample('<rect class="ok" y="6" width="20" height="6"/>', 'low: a read; tall: a write'),
    sample('<rect class="ok" y="2" width="20" height="12"/><rect class="cap" width="20" height="3"/>', 'check-out'),
    sample('<g class="fault"><rect class="shade" width="20" height="14"/><rect class="head" width="20" height="5"/></g>', 'fault'),
    sample('<path class="mark" d="M10 12l-6 -10h12z"/>', 'part of an anomaly'),
  ];
  return `<ul class="legend">${items.join('')}</ul>`;
}

function visible({ visibleMs: { count, unseen, p50, p99, max } }: Verdict): string {
  const ms = (value: number): string => `${value.toFixed(0)} ms`;
  return `p50 ${ms(p50)}, p99 ${ms(p99)}, longest ${ms(max)} (${plural(count, 'command', 'commands')}, ${unseen} more not seen within their looks; faults included)`;
}

const plural = (count: number, one: string, more: string): string => `${count.toLocaleString('en')} ${count === 1 ? one : more}`;

function clockOf(seconds: number, digits = 0): string {
  const minutes = Math.floor(seconds / 60);
  return `${minutes}:${(seconds - minutes * 60).toFixed(digits).padStart(digits === 0 ? 2 : 3 + digits, '0')}`;
}

function escape(text: string): string {
  return text.replaceAll('&', '&amp;').replaceAll('<', '&lt;').replaceAll('>', '&gt;').replaceAll('"', '&quot;');
}
