import { fitsGlob } from "@drydock/shared/repository-glob.ts";
import type { ListedTag } from "../registry-catalog.ts";
import type { ScanAllParameters } from "./parameters.ts";

/** The numbers in names count as numbers: 1.9 comes before 1.10. */
const byName = new Intl.Collator("en", { numeric: true });

/** Whether the parameters want the tag, whatever its age; empty is an image without one. */
export function isWanted({ tag_pattern: pattern, untagged }: ScanAllParameters, tag: string): boolean {
  if (tag === "") return untagged;
  if (pattern === undefined) return true;
  return [pattern].flat().some((glob) => fitsGlob(glob, tag));
}

/**
 * Keeps the newest tags of all that are added: by the time of their push, which not all registries tell, then by their names.
 */
export class NewestTags {
  readonly #count: number;
  #tags: ListedTag[] = [];
  /** Whether each tag had the time of its push. */
  hasTimes = true;

  constructor(count: number) {
    this.#count = count;
  }

  add(tags: readonly ListedTag[]): void {
    this.hasTimes &&= tags.every(({ pushedAt }) => pushedAt !== undefined);
    this.#tags = [...this.#tags, ...tags].sort(newestFirst).slice(0, this.#count);
  }

  get tags(): readonly ListedTag[] {
    return this.#tags;
  }
}

function newestFirst(a: ListedTag, b: ListedTag): number {
  return (b.pushedAt?.getTime() ?? 0) - (a.pushedAt?.getTime() ?? 0) || byName.compare(b.tag, a.tag);
}
