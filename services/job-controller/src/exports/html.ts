import { Coverage, PolicyDecision, type Vulnerability } from "@drydock/shared/gen/drydock/report/v1/report.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { style } from "./html-style.ts";
import { pagesOf } from "./links.ts";
import type { FullFinding, ReportHead, ReportSource } from "./report-source.ts";
import {
  coverageLine,
  coverageOf,
  exceptionOf,
  imageName,
  leftOutWords,
  platformOf,
  scannerOf,
  severityOf,
  systemsOf,
  timeOf,
  verdictLines,
} from "./words.ts";

/** The longest description that is shown, in code units, and how many links of a vulnerability. */
const maxDescription = 2_000;
const maxLinks = 5;

/** No script, nothing from elsewhere, even if something got past the escaping. */
const policy = "default-src 'none'; style-src 'unsafe-inline'; base-uri 'none'; form-action 'none'";

/** One page without script or outside reference but the links of vulnerabilities, that prints well. */
export async function* exportHtml(source: ReportSource): AsyncGenerator<string> {
  const { titled: head } = source;
  yield startOf(head);
  yield* findingsOf(source);
  yield* vulnerabilitiesOf(source);
  yield `<footer>Report ${toText(head.reportId)} of Drydock. Coverage ${toText(coverageLine(head))}.</footer>\n</main>\n</body>\n</html>\n`;
}

function startOf(head: ReportHead): string {
  const name = toText(imageName(head));
  const facts: Array<[name: string, value: string]> = [
    ["Digest", head.artifact?.digest ?? ""],
    ["Platform", platformOf(head)],
    ["System", systemsOf(head)],
    ["Scanner", scannerOf(head)],
    ["Scanned", timeOf(head)],
    ["Packages", String(head.summary?.packageCount ?? 0)],
  ];
  const rows = facts
    .filter(([, value]) => value !== "")
    .map(([term, value]) => `<dt>${term}</dt><dd>${toText(value)}</dd>`);
  const isFull = head.coverage === Coverage.COVERAGE_FULL;
  return `<!doctype html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="${policy}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="referrer" content="no-referrer">
<title>${name}: vulnerabilities</title>
<style>${style}</style>
</head>
<body>
<main>
<header>
<h1>${name}</h1>
<p class="headline">${toText(head.headline)}</p>
<p class="coverage ${isFull ? "full" : "lacking"}">Coverage: <strong>${toText(coverageOf(head))}</strong>${isFull ? "" : `. ${toText(notesOf(head))}`}</p>
</header>
${countsOf(head)}
${verdictOf(head)}<dl>${rows.join("")}</dl>
`;
}

function notesOf(head: ReportHead): string {
  const why = head.coverageNotes.length === 0 ? "" : ` (${head.coverageNotes.join(", ")})`;
  const unseen = `What was not looked at${why} may have vulnerabilities that are not listed here`;
  return `${head.leftOut.length === 0 ? unseen : `Not all that the image has is listed here${why}`}${leftOutWords(head)}.`;
}

function countsOf({ summary }: ReportHead): string {
  const { total = 0, fixable = 0, bySeverity = [] } = summary ?? {};
  const tiles = bySeverity.map(({ severity, count }) => {
    const { word } = severityOf(severity);
    return `<li class="${word}"><b>${count}</b> ${word}</li>`;
  });
  const all = [`<li><b>${total}</b> ${total === 1 ? "finding" : "findings"}</li>`, ...tiles];
  return `<ul class="counts">${all.join("")}<li><b>${fixable}</b> with a fix</li></ul>`;
}

/** Only what keeps to all rules of the policies and was looked at in full is marked as good. */
function verdictOf({ verdict, coverage }: ReportHead): string {
  const [first, ...rest] = verdictLines(verdict);
  if (first === undefined) return "";
  const passes = verdict?.decision === PolicyDecision.POLICY_DECISION_PASS;
  const isSure = coverage === Coverage.COVERAGE_FULL && verdict?.unjudgedRules.length === 0;
  const passed = isSure ? "verdict pass" : "verdict";
  const reasons = rest.map((line) => `<li>${toText(line)}</li>`).join("");
  const list = reasons === "" ? "" : `<ul>${reasons}</ul>`;
  return `<section class="${passes ? passed : "verdict fail"}"><h2>Policy: ${toText(first)}</h2>${list}</section>\n`;
}

async function* findingsOf(source: ReportSource): AsyncGenerator<string> {
  let isOpen = false;
  for await (const full of source.findings()) {
    if (!isOpen) {
      yield `<section>\n<h2>Findings</h2>\n<table>\n<thead><tr><th>Severity</th><th>Vulnerability</th><th>Package</th><th>Installed</th><th>Fixed in</th></tr></thead>\n<tbody>\n`;
    }
    isOpen = true;
    yield rowOf(full);
  }
  if (isOpen) yield "</tbody>\n</table>\n</section>\n";
}

function rowOf({ finding, package: found, vulnerability, exception }: FullFinding): string {
  const { word } = severityOf(finding.severity);
  const { name, link, knownExploited, epss } = vulnerability;
  const why = exception === undefined ? "" : ` <span class="none">${toText(exceptionOf(exception))}</span>`;
  const marks = [
    ...(exception === undefined ? [] : ['<span class="mark">excepted</span>']),
    ...(knownExploited ? ['<span class="mark exploited">exploited</span>'] : []),
    ...(epss > 0 ? [`<span class="mark">EPSS ${(epss * 100).toFixed(1)} %</span>`] : []),
  ];
  const fix = finding.fixedVersion === "" ? '<span class="none">not fixed</span>' : toText(finding.fixedVersion);
  const cells = [
    `<span class="severity ${word}">${word}</span>`,
    [linkTo(link, name), ...marks].join(" ") + why,
    toText(found.name),
    toText(found.version),
    fix,
  ];
  return `<tr>${cells.map((cell) => `<td>${cell}</td>`).join("")}</tr>\n`;
}

async function* vulnerabilitiesOf(source: ReportSource): AsyncGenerator<string> {
  let isOpen = false;
  for await (const vulnerability of source.list("vulnerabilities")) {
    if (!isOpen) yield `<section class="about">\n<h2>About the vulnerabilities</h2>\n`;
    isOpen = true;
    yield aboutOf(vulnerability);
  }
  if (isOpen) yield "</section>\n";
}

function aboutOf({ name, description, links, cvss }: Vulnerability): string {
  const pages = pagesOf(links)
    .slice(0, maxLinks)
    .map((link) => linkTo(link, link));
  const scores = cvss.map(
    ({ version, score, source }) => `CVSS ${version}: ${score.toFixed(1)}${source === "" ? "" : ` (${source})`}`,
  );
  const facts = [...scores.map(toText), ...pages].join(" · ");
  const text = description.length > maxDescription ? `${description.slice(0, maxDescription)}…` : description;
  return `<article><h3>${toText(name)}</h3>${text.trim() === "" ? "" : `<p>${toText(text)}</p>`}${facts === "" ? "" : `<p class="facts">${facts}</p>`}</article>\n`;
}

/** @param link a URI of `pagesOf`, or empty */
function linkTo(link: string, text: string): string {
  const shown = toText(text);
  return link !== "" ? `<a href="${toText(link)}" rel="noopener noreferrer nofollow">${shown}</a>` : shown;
}

const entities: Readonly<Record<string, string>> = {
  "&": "&amp;",
  "<": "&lt;",
  ">": "&gt;",
  '"': "&quot;",
  "'": "&#39;",
};

/** Text of the report as text of the page, without what turns its direction. */
function toText(text: string): string {
  return oneLine(text).replace(/[&<>"']/g, (character) => entities[character] ?? "");
}
