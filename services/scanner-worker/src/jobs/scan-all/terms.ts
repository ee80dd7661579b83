import type { Clock } from "@drydock/shared/clock.ts";
import type { Scanner } from "../../ports/scanner.ts";
import type { RegistryCatalog } from "../registry-catalog.ts";
import type { ScanAllParameters } from "./parameters.ts";

/** What a scan of all images works with. */
export interface ScanAllDeps {
  catalog: RegistryCatalog;
  scanner: Scanner;
  clock: Clock;
  /** Asks the registry by a short request whether it is there and lets the worker in; throws JobFailure if not. */
  probe(signal: AbortSignal): Promise<void>;
}

/** Which images, and when the job was launched. */
export interface ListingTerms {
  parameters: ScanAllParameters;
  launchedAt: Date;
}
