import { after, before, beforeEach, describe } from "node:test";
import { testExploitation } from "./report-suite/exploitation.ts";
import { testFindings } from "./report-suite/findings.ts";
import { testImages } from "./report-suite/images.ts";
import { testKeeping } from "./report-suite/keeping.ts";
import { testLists } from "./report-suite/lists.ts";
import { testPuts } from "./report-suite/puts.ts";
import { type ReportLimits, type ReportsUnderTest, suiteLimits } from "./report-suite/reports-under-test.ts";
import { testTotals } from "./report-suite/totals.ts";

/** What any home of reports has to do, by the ports ReportStore and ReportQueries. */
export function reportStoreSuite(name: string, makeStore: (limits: ReportLimits) => Promise<ReportsUnderTest>): void {
  describe(name, () => {
    const under = {} as ReportsUnderTest;
    before(async () => {
      Object.assign(under, await makeStore(suiteLimits));
    });
    beforeEach(() => under.clear());
    after(() => under.stop?.());
    testPuts(under);
    testImages(under);
    testLists(under);
    testFindings(under);
    testTotals(under);
    testKeeping(under);
    testExploitation(under);
  });
}
