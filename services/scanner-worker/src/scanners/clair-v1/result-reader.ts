import { setImmediate as nextTurn } from "node:timers/promises";
import type { Clock } from "@drydock/shared/clock.ts";
import type { CoverageNote, Report } from "../../domain/report.ts";
import type { ScanResult } from "../../domain/scan-result.ts";
import { checkSubject } from "./answer.ts";
import type { ClairClient, LayerAnswer } from "./client.ts";
import { type ChainLayer, storedLayers } from "./layers.ts";
import { NamespaceData } from "./namespace-data.ts";
import { parseLayer } from "./parse.ts";

/** Layers that Clair was given, base first. */
export interface GivenLayers {
  layers: readonly ChainLayer[];
  signal: AbortSignal;
}

/** The layers of an image as a result tells them. */
export type LayerDescription = Pick<ScanResult, "layerNames" | "skippedLayers" | "coverageNotes">;

/** The coverage notes that are about layers. */
const layerNotes: readonly CoverageNote[] = ["foreign_layer_skipped", "unsupported_layer"];
/** The Server header of Drydock's evaluation scanner: nobody should take its reports for Clair's. */
const evaluationServer = "drydock-evaluation-scanner";
const evaluationScanner = { name: "Drydock evaluation scanner", vendor: "Drydock" };

/** Reads what Clair 2.x found in images whose layers it has. */
export class ResultReader {
  readonly #client: ClairClient;
  readonly #namespaceData: NamespaceData;

  constructor(client: ClairClient, clock: Clock) {
    this.#client = client;
    this.#namespaceData = new NamespaceData(client, clock);
  }

  /** Reads the top layer, whose answer covers the whole image; undefined when Clair does not have the layer. */
  async read({ layers, signal }: GivenLayers): Promise<LayerAnswer | undefined> {
    const top = layers.at(-1);
    const found = top === undefined ? undefined : await this.#client.readLayer(top.name, signal);
    if (top !== undefined && found !== undefined)
      checkSubject(found.body, { name: top.name, parentName: top.parentName ?? "" });
    return found;
  }

  async toResult(
    { layers, signal }: GivenLayers,
    { body, server }: LayerAnswer,
    description: LayerDescription,
  ): Promise<ScanResult> {
    // to parse a large answer and to read it takes some time each
    await nextTurn();
    const findings = parseLayer(body, new Map(layers.map(({ name, digest }) => [name, digest])));
    return {
      ...findings,
      scanner: { ...findings.scanner, ...(server === evaluationServer && evaluationScanner) },
      ...(await this.#namespaceData.addTo(findings, signal)),
      ...description,
    };
  }

  /** Reads anew what Clair finds in the image of a report; undefined when Clair does not have its layers. */
  readonly rematch = async (report: Report, signal: AbortSignal): Promise<ScanResult | undefined> => {
    const layers = storedLayers(report.layers);
    const given = layers && { layers, signal };
    const found = given && (await this.read(given));
    if (given === undefined || found === undefined) return undefined;
    return await this.toResult(given, found, {
      layerNames: report.layers.map(({ clairName }) => clairName),
      skippedLayers: report.layers.filter(({ skipped }) => skipped).map(({ index }) => index),
      coverageNotes: report.coverageNotes.filter((note) => layerNotes.includes(note)),
    });
  };

  /** Drops what is known of Clair's data, because its database was emptied. */
  forget(): void {
    this.#namespaceData.forget();
  }
}
