import type { ChildTotals } from "../children.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a scan of all images has come to, in a line for people. */
export function totalsText({ totals, troubles }: Checkpoint, children?: ChildTotals, rest = ""): string {
  const { repositories, tags, digests, known, skipped, launched, refused, unreadable, unreadableTags, leftOut } =
    totals;
  const total = children?.total ?? launched;
  const parts = [
    `${count(repositories, "repository", "repositories")}, ${count(tags, "tag")}, ${count(digests, "digest")} (${known} known): ` +
      `${total} launched, ${skipped} up to date`,
    ...(children === undefined ? [] : [`${children.succeeded} done`, failedText(children)]),
    ...(children !== undefined && children.stopped > 0 ? [`${children.stopped} stopped`] : []),
    ...(refused > 0 ? [`${refused} could not be launched`] : []),
    ...(unreadableTags > 0 ? [`${count(unreadableTags, "tag")} unreadable`] : []),
    ...(unreadable > 0 ? [`${unreadable} of ${repositories} repositories unreadable`] : []),
    ...(leftOut > 0 ? [`${count(leftOut, "entry", "entries")} of the registry's lists left out`] : []),
    rest,
  ];
  const names = troubles.map(({ repository }) => repository).join(", ");
  const text = parts.filter((part) => part !== "").join(", ");
  return names === "" ? text : `${text}; unreadable: ${names}${unreadable > troubles.length ? ", …" : ""}`;
}

function failedText({ failed, total }: ChildTotals): string {
  return failed === 0 ? "0 failed" : `${failed} of ${total} failed`;
}

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
