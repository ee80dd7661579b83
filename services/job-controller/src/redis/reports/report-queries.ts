import type { ReportQueries } from "../../ports/report-queries.ts";

/** Answers as for a store without reports, until reports are indexed. */
export function createRedisReportQueries(): ReportQueries {
  const nothing = { items: [], nextToken: "" };
  const totals = {
    ...{ images: 0, findings: 0, fixable: 0, bySeverity: {}, imagesBySeverity: {}, byCoverage: {} },
    imagesWithKnownExploited: 0,
  };
  return {
    list: async () => nothing,
    findVulnerability: async () => ({ ...nothing, counts: { images: 0, scanned: 0, notFullyCovered: 0 } }),
    summarize: async () => ({ totals, repositories: [], repositoryCount: 0, worst: [] }),
    history: async () => [],
    noteDay: async () => {},
    findByLayers: async () => nothing,
    standing: async () => [],
  };
}
