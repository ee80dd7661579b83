import { download } from "../download.ts";
import type { Distribution } from "../packages/distribution.ts";
import { distributionIn, type Inventory, isInventoryFile, packagesIn, withLayer } from "../packages/inventory.ts";
import { ArchiveLimitError } from "../unpack/archive-errors.ts";
import { type LayerFiles, readLayerFiles } from "../unpack/layer-files.ts";
import type { TarLimits } from "../unpack/tar-reader.ts";
import { ApiError } from "./api-error.ts";
import type { LayerRequest } from "./layer-request.ts";
import type { Feature, IndexedLayer, LayerStore } from "./layer-store.ts";

/** Downloads layers, reads what is installed in them and stores that. */
export class LayerIndexer {
  readonly #store: LayerStore;
  readonly #limits: TarLimits;
  readonly #running = new Map<string, Promise<void>>();

  constructor(store: LayerStore, limits: TarLimits) {
    this.#store = store;
    this.#limits = limits;
  }

  /**
   * Indexes a layer unless one of its name is already known, whatever its parent and path are.
   * @throws ApiError with the status and text of Clair 2.1
   */
  async index(request: LayerRequest, signal: AbortSignal): Promise<void> {
    checkRequired(request);
    for (let running = this.#running.get(request.name); running !== undefined; ) {
      await running.catch(() => {});
      running = this.#running.get(request.name);
    }
    if (this.#store.find(request.name) !== undefined) return;
    const run = this.#indexNew(request, signal).finally(() => this.#running.delete(request.name));
    this.#running.set(request.name, run);
    await run;
  }

  async #indexNew(request: LayerRequest, signal: AbortSignal): Promise<void> {
    const parent = this.#findParent(request.parentName);
    if (request.format.toLowerCase() !== "docker") {
      throw new ApiError(400, `unsupported image format '${request.format}'`);
    }
    const inventory = withLayer(parent?.inventory, await this.#fetch(request, signal));
    const distribution = distributionIn(inventory);
    const features = featuresOf({ name: request.name, inventory, distribution, parent });
    this.#store.add({ name: request.name, parentName: parent?.name, distribution, features, inventory });
  }

  #findParent(name: string): IndexedLayer | undefined {
    if (name === "") return undefined;
    const parent = this.#store.find(name);
    if (parent === undefined) {
      throw new ApiError(400, "worker: parent layer is unknown, it must be processed first");
    }
    return parent;
  }

  async #fetch({ path, headers }: LayerRequest, signal: AbortSignal): Promise<LayerFiles> {
    const response = await download(path, headers, signal).catch(() => {
      throw new ApiError(400, "could not find layer");
    });
    try {
      return await readLayerFiles(response, isInventoryFile, this.#limits);
    } catch (error) {
      const message =
        error instanceof ArchiveLimitError
          ? "tarutil: could not extract one or more files from the archive: file too big"
          : "tarutil: could not extract the archive";
      throw new ApiError(422, message);
    } finally {
      response.destroy();
    }
  }
}

function checkRequired({ name, path, format }: LayerRequest): void {
  for (const [field, value] of Object.entries({ name, path, format })) {
    if (value === "") throw new ApiError(400, `could not process a layer which does not have a ${field}`);
  }
}

interface LayerContent {
  name: string;
  inventory: Inventory;
  distribution: Distribution | undefined;
  parent: IndexedLayer | undefined;
}

/** For Debian a feature is a source package; of Alpine's packages Clair 2.x knows the own name alone. */
function featuresOf({ name, inventory, distribution, parent }: LayerContent): Feature[] {
  const packages = packagesIn(inventory, isReadByClair);
  if (packages.length === 0) return [];
  if (distribution === undefined) throw new ApiError(422, "worker: OS and/or package manager are not supported");
  const addedBy = new Map(parent?.features.map((feature) => [keyOf(feature), feature.addedBy]));
  const features = packages.map((own): Feature => {
    const counted = distribution.versionOrder === "dpkg" ? own.source : own;
    return { name: counted.name, version: counted.version, addedBy: addedBy.get(keyOf(counted)) ?? name };
  });
  return [...new Map(features.map((feature) => [keyOf(feature), feature])).values()];
}

/** Clair 2.x does not look into status.d, where distroless images have their packages. */
function isReadByClair(path: string): boolean {
  return !path.startsWith("var/lib/dpkg/status.d/");
}

function keyOf({ name, version }: { name: string; version: string }): string {
  return `${name} ${version}`;
}
