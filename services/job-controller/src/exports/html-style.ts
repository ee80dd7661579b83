/** How the page looks, on a screen, in the dark and on paper. */
export const style = `
:root{color-scheme:light dark;--ink:#1c2430;--dim:#5c6675;--paper:#fff;--line:#dde2ea;--soft:#f4f6f9;--link:#0b57b0;
--critical:#8b0a24;--high:#c5341d;--medium:#a35c00;--low:#1f6aa5;--negligible:#5c6675;--unknown:#5c6675;--good:#1b6e3c}
@media (prefers-color-scheme:dark){:root{--ink:#e4e8ee;--dim:#9aa5b4;--paper:#14181e;--line:#2d3540;--soft:#1c222a;--link:#7db4f5;
--critical:#ff7d93;--high:#ff9277;--medium:#f0b45a;--low:#7cbcf0;--negligible:#9aa5b4;--unknown:#9aa5b4;--good:#6fce94}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);font:15px/1.5 system-ui,-apple-system,"Segoe UI",sans-serif}
main{max-width:70rem;margin:0 auto;padding:2rem 1.25rem 4rem}
h1{font-size:1.6rem;margin:0;overflow-wrap:anywhere}
h2{font-size:1.1rem;margin:2.25rem 0 .75rem}
h3{font-size:.95rem;margin:0}
a{color:var(--link)}
.headline{font-size:1.05rem;margin:.4rem 0 .8rem}
.coverage{display:inline-block;margin:0;padding:.3rem .7rem;border:1px solid currentColor;border-radius:.4rem}
.coverage.full{color:var(--good)}
.coverage.lacking{color:var(--high)}
.counts{display:flex;flex-wrap:wrap;gap:.6rem;list-style:none;padding:0;margin:1.4rem 0}
.counts li{background:var(--soft);border-left:4px solid var(--line);border-radius:.3rem;padding:.45rem .9rem}
.counts b{font-size:1.25rem;margin-right:.2rem;font-variant-numeric:tabular-nums}
.counts .critical{border-color:var(--critical)}.counts .high{border-color:var(--high)}.counts .medium{border-color:var(--medium)}
.counts .low{border-color:var(--low)}.counts .negligible,.counts .unknown{border-color:var(--negligible)}
.verdict{border:1px solid currentColor;border-radius:.4rem;padding:0 1rem .5rem;margin:1.4rem 0}
.verdict h2{margin:.7rem 0 .3rem}
.verdict ul{color:var(--ink);margin:.3rem 0}
.verdict.fail{color:var(--high)}
.verdict.pass{color:var(--good)}
dl{display:grid;grid-template-columns:max-content 1fr;gap:.25rem 1.2rem;margin:0}
dt{color:var(--dim)}
dd{margin:0;overflow-wrap:anywhere}
table{width:100%;border-collapse:collapse;font-size:.92rem}
th{text-align:left;color:var(--dim);font-weight:600;border-bottom:2px solid var(--line);padding:.4rem .9rem .4rem 0}
td{border-bottom:1px solid var(--line);padding:.4rem .9rem .4rem 0;vertical-align:top;overflow-wrap:anywhere;unicode-bidi:isolate}
.severity{font-weight:600;white-space:nowrap}
.critical.severity{color:var(--critical)}.high.severity{color:var(--high)}.medium.severity{color:var(--medium)}
.low.severity{color:var(--low)}.negligible.severity,.unknown.severity{color:var(--negligible)}
.mark{font-size:.78rem;white-space:nowrap;border:1px solid var(--line);border-radius:.3rem;padding:0 .35rem;color:var(--dim)}
.mark.exploited{border-color:var(--critical);color:var(--critical)}
.none{color:var(--dim)}
.about article{border-bottom:1px solid var(--line);padding:.7rem 0}
.about p{margin:.25rem 0;overflow-wrap:anywhere}
.facts{color:var(--dim);font-size:.85rem}
footer{color:var(--dim);margin-top:2.5rem;font-size:.85rem}
@media (max-width:40rem){td,th{padding-right:.5rem}table{font-size:.82rem}}
@media print{:root{color-scheme:light;--ink:#000;--dim:#444;--paper:#fff;--line:#bbb;--soft:#fff;--link:#000}
body{font-size:9.5pt}main{max-width:none;padding:0}h2{break-after:avoid}thead{display:table-header-group}
tr,article,.counts li,.verdict{break-inside:avoid}a{text-decoration:none}.counts li{border:1px solid #bbb;border-left-width:4px}}
@page{margin:14mm}
`;
