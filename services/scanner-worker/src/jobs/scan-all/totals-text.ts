import { type ChildTotals, endsOf } from "../children.ts";
import type { Checkpoint } from "./checkpoint.ts";

/** What a scan of all images has come to, in a line for people. */
export function totalsText({ totals, troubles, former }: Checkpoint, children?: ChildTotals, rest = ""): string {
  const { repositories, tags, digests, known, skipped, launched, refused, unreadable, unreadableTags, leftOut } =
    totals;
  const total = children?.total ?? launched;
  const parts = [
    `${count(repositories, "repository", "repositories")}, ${count(tags, "tag")}, ${count(digests, "digest")} (${known} known): ` +
      `${total} launched, ${skipped} up to date`,
    ...(children === undefined ? [] : endsOf(children)),
    ...(former.cancelled > 0 ? [`${former.cancelled} cancelled before the list was read again`] : []),
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

function count(number: number, noun: string, plural = `${noun}s`): string {
  return `${number} ${number === 1 ? noun : plural}`;
}
