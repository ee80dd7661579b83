/** A folder of sources, and what it may import. */
export interface Floor {
  folder: string;
  /** The name of the planted file. */
  file?: string;
  allows: string[];
  refuses: string[];
}

export const gen = "@drydock/shared/gen/drydock/job/v1/job.ts";
export const grpcTools = "@drydock/shared/grpc/status.ts";
export const errors = "@drydock/shared/errors.ts";
export const logger = "@drydock/shared/logger.ts";

export const worker = "services/scanner-worker/src";
export const otherOfWorker = ["../../../job-controller/src/domain/x.ts", "@drydock/job-controller/src/x.ts"];
export const workerFloors: Floor[] = [
  {
    folder: "domain",
    allows: ["./report.ts", errors, "zod"],
    refuses: ["../ports/x.ts", "../runtime/x.ts", "../registry/x.ts", logger, grpcTools, gen, "node:fs"],
  },
  {
    folder: "ports",
    allows: ["./x.ts", "../domain/report.ts", "zod"],
    refuses: ["../runtime/x.ts", "../registry/x.ts", "../controller/x.ts", logger, grpcTools, gen, "node:net"],
  },
  {
    folder: "runtime",
    allows: ["./x.ts", "../domain/report.ts", "../ports/x.ts", logger],
    refuses: [
      "../controller/x.ts",
      "../jobs/x.ts",
      "../registry/x.ts",
      "../scanners/a/x.ts",
      "../app.ts",
      grpcTools,
      gen,
    ],
  },
  {
    folder: "jobs",
    allows: ["./x.ts", "../domain/report.ts", "../ports/x.ts", "../runtime/x.ts", logger, "zod"],
    refuses: ["../controller/x.ts", "../registry/x.ts", "../scanners/a/x.ts", "../app.ts", grpcTools, gen],
  },
  {
    folder: "jobs/scan-all",
    allows: ["./x.ts", "../x.ts", "../../domain/report.ts", "../../ports/x.ts", logger, "zod"],
    refuses: ["../../controller/x.ts", "../../registry/x.ts", "../../scanners/a/x.ts", "../../app.ts", gen],
  },
  {
    folder: "controller",
    allows: ["./x.ts", "../domain/report.ts", "../ports/x.ts", grpcTools, gen, "@grpc/grpc-js"],
    refuses: ["../jobs/x.ts", "../registry/x.ts", "../scanners/a/x.ts", "../app.ts"],
  },
  {
    folder: "registry",
    allows: ["./x.ts", "../domain/report.ts", "../ports/x.ts", logger, "tldts", "opossum"],
    refuses: ["../jobs/x.ts", "../controller/x.ts", "../scanners/a/x.ts", "../app.ts", grpcTools, gen],
  },
  {
    folder: "scanners/clair-v1",
    allows: ["./x.ts", "../../domain/report.ts", "../../ports/x.ts", logger, "opossum"],
    refuses: ["../clair-v4/x.ts", "../../registry/x.ts", "../../controller/x.ts", "../../app.ts", grpcTools, gen],
  },
];
export const packagesOfWorker: Record<string, string[]> = {
  controller: ["@grpc/grpc-js"],
  registry: ["tldts", "opossum"],
  "scanners/clair-v1": ["opossum"],
};
