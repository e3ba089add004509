/** Of timeline.ts. Outcomes differ in form as well as in colour: what is unknown is hatched. */
export const timelineStyle = `
:root {
  color-scheme: light dark;
  --ground: light-dark(#ffffff, #16181c);
  --ink: light-dark(#1c1f24, #e6e8ec);
  --faint: light-dark(#dde1e7, #31363e);
  --quiet: light-dark(#5a6370, #9aa3b0);
  --ok: light-dark(#2f78b7, #6db1ea);
  --failed: light-dark(#c77700, #f0a53c);
  --unknown: light-dark(#7b5bb0, #b79be8);
  --fault: light-dark(#c0392b, #ef7a6c);
  --mark: light-dark(#c4007a, #ff5fb8);
  --well: light-dark(#1c7c3c, #63cf86);
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--ground); color: var(--ink); font: 14px/1.5 system-ui, sans-serif; }
header, h2, section, table, ul { margin-left: 16px; margin-right: 16px; }
h1 { font-size: 20px; margin: 16px 0 4px; }
h2 { font-size: 16px; margin-top: 20px; margin-bottom: 6px; }
p { margin: 4px 0; }
code { font: 13px ui-monospace, monospace; background: var(--faint); padding: 1px 5px; border-radius: 3px; }
a { color: inherit; }
.well { color: var(--well); }
.ill { color: var(--mark); }
.legend { list-style: none; display: flex; flex-wrap: wrap; gap: 4px 18px; padding: 0; margin: 8px 0; color: var(--quiet); }
.legend li { display: flex; align-items: center; gap: 6px; }
.anomalies { border-left: 4px solid var(--mark); padding: 2px 12px; }
.anomalies h2 { margin: 4px 0; }
.anomalies li { margin-bottom: 6px; overflow-wrap: anywhere; }
.scroll { display: flex; overflow-x: auto; border-block: 1px solid var(--faint); scroll-padding-left: 160px; }
.scroll:focus-visible, .bars g:focus-visible { outline: 2px solid var(--mark); outline-offset: 1px; }
svg { flex: none; display: block; }
svg text { font: 11px system-ui, sans-serif; fill: var(--quiet); }
svg.labels { position: sticky; left: 0; background: var(--ground); border-right: 1px solid var(--faint); z-index: 1; }
svg.labels text { fill: var(--ink); }
.axis line, .lanes line { stroke: var(--faint); stroke-width: 1; }
.ok { fill: var(--ok); }
.failed { fill: var(--failed); }
.unknown { fill: url(#hatch); stroke: var(--unknown); stroke-width: 0.5; }
.hatch-ground { fill: var(--ground); }
.hatch-line { stroke: var(--unknown); stroke-width: 5; }
.cap { fill: var(--ink); }
.fault .shade { fill: var(--fault); opacity: 0.09; }
.fault .head { fill: var(--fault); opacity: 0.45; }
.fault text { fill: var(--ink); }
.fault:target .shade { opacity: 0.3; }
.healed line { stroke: var(--well); stroke-width: 1.5; stroke-dasharray: 4 3; }
.healed text { fill: var(--well); }
.bars g:hover rect { stroke: var(--ink); stroke-width: 1; }
.bars g, .fault { scroll-margin: 200px 300px; }
.mark { fill: var(--mark); }
.frame { fill: none; stroke: var(--mark); stroke-width: 1.5; }
g:target .frame { stroke-width: 4; }
table { border-collapse: collapse; }
th, td { text-align: left; padding: 2px 14px 2px 0; border-bottom: 1px solid var(--faint); font-variant-numeric: tabular-nums; }
`;
