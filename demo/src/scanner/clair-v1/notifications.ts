import { randomUUID } from "node:crypto";
import type { Advisory } from "../matching/advisory.ts";
import { AdvisoryIndex } from "../matching/advisory-index.ts";
import { ApiError } from "./api-error.ts";
import type { LayerStore } from "./layer-store.ts";
import { viewVulnerability } from "./layer-view.ts";
import { viewFixes } from "./vulnerability-request.ts";

/** A vulnerability before and after a change; without advisories it was not there, or is not any more. */
export interface Change {
  before: readonly Advisory[];
  after: readonly Advisory[];
}

interface Notification extends Change {
  created: number;
  notified: number | undefined;
  deleted: number | undefined;
}

/** Where a page begins on each side. */
interface Place {
  before: number;
  after: number;
}

/** The notifications of changed vulnerabilities, in memory. */
export class Notifications {
  readonly #layers: LayerStore;
  readonly #byName = new Map<string, Notification>();

  constructor(layers: LayerStore) {
    this.#layers = layers;
  }

  /** Gives the name of the new one. */
  add(change: Change): string {
    const name = randomUUID();
    this.#byName.set(name, { ...change, created: Date.now(), notified: undefined, deleted: undefined });
    return name;
  }

  /** Its receiver has taken it. */
  noteSent(name: string): void {
    this.#find(name).notified = Date.now();
  }

  /** Whether it was deleted: nobody needs to be told of it any more. */
  isDone(name: string): boolean {
    return this.#byName.get(name)?.deleted !== undefined;
  }

  /** A deleted one can still be read, as with Clair. */
  remove(name: string): void {
    this.#find(name).deleted = Date.now();
  }

  /** The answer to GET /v1/notifications/{name}: `limit` layers of each side. */
  view(name: string, limit: number, page: string | null): object {
    const { before, after, created, notified, deleted } = this.#find(name);
    const place = readPage(page);
    const [old, next] = [this.#side(before, place.before, limit), this.#side(after, place.after, limit)];
    const hasMore = [old, next].some((side) => side?.hasMore);
    return {
      Notification: {
        ...{ Name: name, Created: seconds(created), Limit: limit },
        ...(notified !== undefined && { Notified: seconds(notified) }),
        ...(deleted !== undefined && { Deleted: seconds(deleted) }),
        ...(page !== null && { Page: page }),
        ...(hasMore && { NextPage: toPage({ before: place.before + limit, after: place.after + limit }) }),
        ...(old && { Old: old.view }),
        ...(next && { New: next.view }),
      },
    };
  }

  #side(advisories: readonly Advisory[], from: number, limit: number): { view: object; hasMore: boolean } | undefined {
    const [first] = advisories;
    if (first === undefined) return undefined;
    const all = this.#layersWith(advisories);
    const layers = all.slice(from, from + limit);
    const view = {
      Vulnerability: { ...viewVulnerability({ ...first, fixedVersion: null }), FixedIn: viewFixes(advisories) },
      OrderedLayersIntroducingVulnerability: layers.map((LayerName, place) => ({ Index: from + place + 1, LayerName })),
      LayersIntroducingVulnerability: layers,
    };
    return { view, hasMore: all.length > from + limit };
  }

  /** The layers that bring a package in an affected version. */
  #layersWith(advisories: readonly Advisory[]): string[] {
    const index = new AdvisoryIndex(advisories);
    return this.#layers
      .all()
      .filter(({ name: layer, distribution, features }) => {
        if (distribution === undefined) return false;
        return features.some(({ name, version, addedBy }) => {
          return addedBy === layer && index.affecting({ ...distribution, package: name, version }).length > 0;
        });
      })
      .map(({ name }) => name);
  }

  #find(name: string): Notification {
    const found = this.#byName.get(name);
    if (found === undefined) throw new ApiError(404, "the resource cannot be found");
    return found;
  }
}

function seconds(ms: number): string {
  return String(Math.floor(ms / 1_000));
}

function toPage(place: Place): string {
  return Buffer.from(JSON.stringify(place)).toString("base64url");
}

function readPage(page: string | null): Place {
  if (page === null) return { before: 0, after: 0 };
  try {
    const { before, after } = JSON.parse(Buffer.from(page, "base64url").toString()) as Place;
    if (Number.isSafeInteger(before) && Number.isSafeInteger(after)) return { before, after };
  } catch {
    // told below
  }
  throw new ApiError(400, "invalid page format");
}
