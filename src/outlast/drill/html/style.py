"""The report's style sheet: system fonts, two colour schemes, one column on a phone.

Contrast of text is at least 4.5 to 1 in both schemes (WCAG 2.2, 1.4.3), of marks at least 3 to 1 (1.4.11).
"""

STYLE = """
:root { color-scheme: light dark; --bg: #fff; --fg: #1b2026; --muted: #57606a; --rule: #d5dbe1; --panel: #f5f7f9;
  --track: #eaeef2; --band: #00000009; --edge: #8b949e; --ok: #1f6f8b; --miss: #f3d3c4; --bad: #b3380d; --good: #1a6b36;
  --wait: #7a5ea8; --accent: #1f5f8b; }
@media (prefers-color-scheme: dark) { :root { --bg: #10151a; --fg: #e6eaee; --muted: #9ba6b1; --rule: #2c353e;
  --panel: #171d24; --track: #1e262e; --band: #ffffff0a; --edge: #6b7682; --ok: #58b3d1; --miss: #54301f;
  --bad: #ff8a5c; --good: #5fca82; --wait: #b59be6; --accent: #7cc0e8; } }
* { box-sizing: border-box; }
html { -webkit-text-size-adjust: 100%; }
body { margin: 0 auto; max-width: 66rem; padding: 2.5rem 1.5rem 4rem; background: var(--bg); color: var(--fg);
  font: 1rem/1.55 system-ui, -apple-system, "Segoe UI", Roboto, "Noto Sans", sans-serif; overflow-wrap: anywhere; }
h1 { font-size: 2.4rem; line-height: 1.1; letter-spacing: -.02em; margin: .2rem 0 1rem; }
h2 { font-size: 1.6rem; line-height: 1.2; letter-spacing: -.01em; margin: 0 0 .6rem; }
h3 { font-size: 1.05rem; margin: 2.2rem 0 .6rem; }
h4 { font-size: .85rem; font-weight: 600; color: var(--muted); margin: 0 0 .3rem; }
p { margin: 0 0 .8rem; }
small { font-size: .82rem; color: var(--muted); font-weight: 400; }
code { font: .85rem ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
a { color: var(--accent); text-underline-offset: .15em; }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
.eyebrow { font-size: .8rem; font-weight: 600; letter-spacing: .06em; text-transform: uppercase; color: var(--muted);
  margin: 0; }
.muted { color: var(--muted); white-space: nowrap; }
.verdict { display: inline-block; font-weight: 600; padding: .2rem .7rem; margin: 0 .6rem .3rem 0; border-radius: 1rem;
  color: var(--good); border: 1.5px solid var(--good); }
.verdict.failed { color: var(--bad); border-color: var(--bad); }
.proves { font-size: 1.08rem; max-width: 46rem; }
header { margin-bottom: 2rem; }
section { margin: 0 0 3rem; }
section.act, section:last-child { border-top: 1px solid var(--rule); padding-top: 2rem; }
.facts { display: grid; grid-template-columns: repeat(4, minmax(0, 1fr)); gap: .6rem; margin: 1.4rem 0; }
.facts div { background: var(--panel); border-radius: .5rem; padding: .7rem .9rem; }
.facts dd { margin: 0; font-size: 1.5rem; font-weight: 600; line-height: 1.2; font-variant-numeric: tabular-nums; }
.facts dt { font-size: .82rem; line-height: 1.35; color: var(--muted); }
figure { margin: 2rem 0; }
figcaption { font-weight: 600; margin-bottom: .8rem; }
.row { display: grid; grid-template-columns: 13.5rem minmax(0, 1fr); gap: 0 1rem; align-items: center; }
.label { font-size: .88rem; line-height: 1.25; color: var(--muted); text-align: right; }
.label b, .label code { color: var(--fg); font-weight: 600; }
.value { font-variant-numeric: tabular-nums; white-space: nowrap; }
.plot { position: relative; min-width: 0; }
svg { display: block; width: 100%; background: var(--track); border-radius: 2px; }
.calls { margin: 0 0 .45rem; } .calls svg { height: 3.1rem; }
.lane { margin: 0 0 .2rem; } .lane svg { height: .95rem; }
.bar { margin: 0 0 .3rem; } .bar svg { height: 1.25rem; background: none; }
.rows-heading { margin: 1.1rem 0 .5rem 14.5rem; font-size: .9rem; line-height: 1.3; }
.band { fill: var(--band); } .edge { stroke: var(--edge); stroke-dasharray: 3 3; }
line { vector-effect: non-scaling-stroke; }
.answered, .held { fill: var(--ok); } .missed { fill: var(--miss); } .empty { fill: var(--bad); }
.attempts { fill: var(--ok); } .track { fill: var(--track); } .parked { fill: var(--wait); }
.one { stroke: var(--fg); stroke-width: 1.5; }
.phases { list-style: none; margin: 0; padding: 0; position: relative; height: 1.6rem; }
.phases li { position: absolute; top: 0; bottom: 0; overflow: hidden; white-space: nowrap; text-overflow: ellipsis;
  font-size: .78rem; line-height: 1.6rem; text-indent: .3rem; background: var(--panel); border-left: 2px solid var(--edge); }
.legend { list-style: none; padding: 0; margin: .9rem 0 .8rem 14.5rem; display: flex; flex-wrap: wrap; gap: .1rem 1.1rem;
  font-size: .85rem; }
.marks { position: relative; height: 1.2rem; font-size: .78rem; line-height: 1.2rem; }
.marks span { position: absolute; white-space: nowrap; font-variant-numeric: tabular-nums; }
.ruler { position: relative; height: 1.2rem; font-size: .78rem; color: var(--muted); }
.ruler span { position: absolute; transform: translateX(-50%); white-space: nowrap; }
.ruler span:first-child { transform: none; }
.ruler span:last-child:not(:first-child) { transform: translateX(-80%); }
details { margin: .5rem 0 0 14.5rem; font-size: .9rem; }
summary { cursor: pointer; color: var(--accent); padding: .2rem 0; }
.scroll { overflow-x: auto; }
details .scroll { max-height: 24rem; overflow-y: auto; }
table { border-collapse: collapse; width: 100%; font-size: .88rem; font-variant-numeric: tabular-nums; }
caption { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
th, td { text-align: right; vertical-align: baseline; padding: .45rem .7rem; border-bottom: 1px solid var(--rule); }
th:first-child, td:first-child { text-align: left; padding-left: 0; white-space: nowrap; overflow-wrap: normal; }
thead th { font-size: .78rem; font-weight: 500; line-height: 1.25; color: var(--muted); vertical-align: bottom;
  overflow-wrap: normal; }
tbody th { font-weight: 400; }
td { white-space: nowrap; }
.overview thead th:not(:first-child), .overview td { text-align: left; }
.figures thead b { font-size: .88rem; color: var(--fg); }
.overview { font-size: 1rem; } .overview thead th { font-size: .95rem; }
.metered { display: flex; align-items: center; gap: .7rem; }
.metered .value { min-width: 4.2rem; font-weight: 600; text-align: right; }
.meter { flex: 1; min-width: 3rem; height: .7rem; background: var(--miss); border-radius: 2px; overflow: hidden; }
.fill { display: block; height: 100%; background: var(--ok); }
.bought { list-style: none; padding: 0; margin: 0 0 1.2rem; }
.bought b { display: inline-block; min-width: 7.2rem; font-variant-numeric: tabular-nums; }
.story { list-style: none; padding: 0; margin: 0; }
.story > li { margin: 0 0 1rem; }
.steps { list-style: none; padding: 0 0 0 1rem; margin: 0; border-left: 2px solid var(--rule); max-width: 50rem; }
.steps li { display: grid; grid-template-columns: 3.6rem minmax(0, 1fr); gap: .6rem; padding: .2rem 0; }
.at { color: var(--muted); text-align: right; font-variant-numeric: tabular-nums; white-space: nowrap; }
.claims { list-style: none; padding: 0; margin: 0; }
.claims li { display: grid; grid-template-columns: 5.6rem minmax(0, 1fr); gap: .6rem; padding: .45rem 0;
  border-bottom: 1px solid var(--rule); }
.claim > * { display: block; }
.mark { font-weight: 600; color: var(--good); white-space: nowrap; } .failed-claim .mark { color: var(--bad); }
.factors div { display: grid; grid-template-columns: 12rem minmax(0, 1fr); gap: .2rem 1rem; padding: .45rem 0;
  border-bottom: 1px solid var(--rule); }
.factors dt { font-weight: 600; } .factors dd { margin: 0; }
.limits { padding-left: 1.2rem; max-width: 50rem; color: var(--muted); }
footer { color: var(--muted); font-size: .88rem; }
@media (max-width: 46rem) {
  body { padding: 1.5rem 1rem 3rem; } h1 { font-size: 1.9rem; }
  .row { grid-template-columns: minmax(0, 1fr); } .label { text-align: left; }
  .label > span { display: flex; justify-content: space-between; }
  .rows-heading, details, .legend { margin-left: 0; }
  .phases li span { display: none; }
  .meter { display: none; } .metered .value { min-width: 0; } th, td { padding: .4rem .45rem; }
  .factors div { grid-template-columns: minmax(0, 1fr); gap: 0; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
}
@media print { body { max-width: none; padding: 0; } details { display: none; } section.act { break-before: page; } }
"""
