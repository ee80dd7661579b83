import type { CoverageCounts } from "../../ports/job.ts";
import { type ChildTotals, endsOf } from "../children.ts";
import type { Checkpoint, Totals } from "./checkpoint.ts";

/**
 * What a scan of all images has come to, in a line for people. Of the digests, those launched, up to date, scanned by other jobs
 * and not launched add up to all of them.
 */
export function totalsText({ totals, troubles, former }: Checkpoint, children?: ChildTotals, rest = ""): string {
  const { repositories, digests, known, launched, skipped, others, refused, unreadable } = totals;
  const jobs = jobsText(launched, children, former);
  const parts = [
    [count(repositories, "repository", "repositories"), unread(unreadable)].join(""),
    [count(totals.tags, "tag"), tagNotes(totals)].join(""),
    `${count(digests, "digest")} (${known} known): ${launched} launched${jobs.own}`,
    `${skipped} up to date`,
    ...(others > 0 ? [`${others} scanned by other jobs`] : []),
    ...(refused > 0 ? [`${refused} could not be launched`] : []),
    jobs.all,
    ...(children === undefined ? [] : endsOf(children)),
    ...(former.cancelled > 0 ? [`${former.cancelled} cancelled before the list was read again`] : []),
    ...passedOverNotes(totals),
    rest,
  ];
  const names = troubles.map(({ repository }) => repository).join(", ");
  const text = parts.filter((part) => part !== "").join(", ");
  return names === "" ? text : `${text}; unreadable: ${names}${unreadable > troubles.length ? ", …" : ""}`;
}

/** How many jobs there are if not one for each digest: which are for digests of the list is not known once it was read again. */
function jobsText(launched: number, children: ChildTotals | undefined, { cancelled }: Checkpoint["former"]) {
  if (children === undefined || children.total === launched) return { own: "", all: "" };
  const jobs = count(children.total, "job");
  return cancelled === 0 ? { own: ` as ${jobs}`, all: "" } : { own: "", all: `${jobs} with those of before` };
}

/** How much the scanner could look at, by all of these counts together; empty for no report at all. */
export function coverageText(...counts: readonly CoverageCounts[]): string {
  const sumOf = (word: keyof CoverageCounts) => counts.reduce((sum, own) => sum + (own[word] ?? 0), 0);
  const told = (["FULL", "PARTIAL", "UNSUPPORTED", "NOT_AN_IMAGE"] as const).filter((word) => sumOf(word) > 0);
  const reports = told.reduce((sum, word) => sum + sumOf(word), 0);
  const words = told.map((word) => `${sumOf(word)} ${word}`).join(", ");
  // their number is not that of the digests: an index has several
  const said = reports === 0 ? [] : [`coverage of ${reports} ${reports === 1 ? "report" : "reports"}: ${words}`];
  return [...said, ...(sumOf("NONE") > 0 ? [`${sumOf("NONE")} without a report`] : [])].join(", ");
}

function unread(unreadable: number): string {
  return unreadable === 0 ? "" : ` (${unreadable} unreadable)`;
}

/** Of the tags, those that lead to no digest. */
function tagNotes({ unreadableTags, goneTags }: Totals): string {
  const notes = [unreadableTags > 0 && `${unreadableTags} unreadable`, goneTags > 0 && `${goneTags} gone`];
  const said = notes.filter((note) => note !== false);
  return said.length === 0 ? "" : ` (${said.join(", ")})`;
}

function passedOverNotes({ passedOver, passedOverTags, leftOut }: Totals): string[] {
  const notes = [
    passedOver > 0 && count(passedOver, "repository", "repositories"),
    passedOverTags > 0 && count(passedOverTags, "tag"),
  ];
  const said = notes.filter((note) => note !== false);
  return [
    ...(said.length > 0 ? [`${said.join(" and ")} passed over by the parameters`] : []),
    ...(leftOut > 0 ? [`${count(leftOut, "entry", "entries")} of the registry's lists left out`] : []),
  ];
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
