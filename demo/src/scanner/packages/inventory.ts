import { hides, type LayerFiles } from "../unpack/layer-files.ts";
import { readApkInstalled } from "./apk-installed.ts";
import { type Distribution, distributionOf } from "./distribution.ts";
import { readDpkgStatus } from "./dpkg-status.ts";
import type { InstalledPackage } from "./installed-package.ts";
import { type OsRelease, readOsRelease } from "./os-release.ts";

/** What is known of an image up to one of its layers. */
export interface Inventory {
  /** By path. */
  readonly osReleases: ReadonlyMap<string, OsRelease>;
  /** The packages of each package database, by its path. */
  readonly databases: ReadonlyMap<string, readonly InstalledPackage[]>;
}

/** In the order in which they are believed; the first is often a link to the second. */
const osReleasePaths = ["etc/os-release", "usr/lib/os-release"];

const emptyInventory: Inventory = { osReleases: new Map(), databases: new Map() };

/** Whether the inventory needs the file. */
export function isInventoryFile(path: string): boolean {
  return osReleasePaths.includes(path) || readerOf(path) !== undefined;
}

/** The image with one layer more. */
export function withLayer(below: Inventory | undefined, layer: LayerFiles): Inventory {
  const { osReleases, databases } = below ?? emptyInventory;
  const isKept = ([path]: [string, unknown]) => !hides(layer, path);
  const inventory = {
    osReleases: new Map([...osReleases].filter(isKept)),
    databases: new Map([...databases].filter(isKept)),
  };
  for (const [path, content] of layer.files) {
    const text = content.toString("utf8");
    if (osReleasePaths.includes(path)) inventory.osReleases.set(path, readOsRelease(text));
    const read = readerOf(path);
    if (read !== undefined) inventory.databases.set(path, read(text));
  }
  return inventory;
}

/** The image's operating system, if the scanner knows it. */
export function distributionIn({ osReleases }: Inventory): Distribution | undefined {
  const osRelease = osReleasePaths.map((path) => osReleases.get(path)).find((found) => found !== undefined);
  return osRelease && distributionOf(osRelease);
}

/** All packages of the image, of the databases whose path is read. */
export function packagesIn(
  { databases }: Inventory,
  isRead: (path: string) => boolean = () => true,
): InstalledPackage[] {
  return [...databases].flatMap(([path, packages]) => (isRead(path) ? packages : []));
}

function readerOf(path: string): ((text: string) => InstalledPackage[]) | undefined {
  if (path === "lib/apk/db/installed") return readApkInstalled;
  if (path === "var/lib/dpkg/status") return readDpkgStatus;
  return /^var\/lib\/dpkg\/status\.d\/[^/]+(?<!\.md5sums)$/.test(path) ? readDpkgStatus : undefined;
}
