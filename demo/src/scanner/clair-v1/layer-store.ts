import type { Distribution } from "../packages/distribution.ts";
import type { Inventory } from "../packages/inventory.ts";

/** A package as Clair 2.x counts it, and the layer that brought it. */
export interface Feature {
  name: string;
  version: string;
  /** The name of the layer. */
  addedBy: string;
}

/** A layer that was indexed. It stands for the image up to it. */
export interface IndexedLayer {
  name: string;
  parentName: string | undefined;
  distribution: Distribution | undefined;
  features: readonly Feature[];
  inventory: Inventory;
}

/** The layers that were indexed, in memory. */
export class LayerStore {
  readonly #layers = new Map<string, IndexedLayer>();
  readonly #namespaces = new Set<string>();

  find(name: string): IndexedLayer | undefined {
    return this.#layers.get(name);
  }

  all(): IndexedLayer[] {
    return [...this.#layers.values()];
  }

  add(layer: IndexedLayer): void {
    this.#layers.set(layer.name, layer);
    if (layer.distribution !== undefined) this.#namespaces.add(layer.distribution.namespace);
  }

  /** Removes the layer and all that stand on it. */
  remove(name: string): void {
    this.#layers.delete(name);
    for (const layer of [...this.#layers.values()]) {
      if (layer.parentName === name) this.remove(layer.name);
    }
  }

  /** Every distribution ever seen, in the order of its first layer. */
  namespaces(): string[] {
    return [...this.#namespaces];
  }
}
