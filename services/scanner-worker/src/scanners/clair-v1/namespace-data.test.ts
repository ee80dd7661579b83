import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { JobFailure } from "../../domain/job-failure.ts";
import { NamespaceData } from "./namespace-data.ts";
import { parseLayer } from "./parse.ts";

describe("whether Clair has vulnerability data for a distribution", () => {
  let asked: string[];
  let answer: () => Promise<boolean>;
  let now: number;
  let data: NamespaceData;
  let stop: AbortController;
  let warnings: readonly string[];

  beforeEach(() => {
    asked = [];
    answer = async () => true;
    now = 0;
    stop = new AbortController();
    const hasVulnerabilities = (namespace: string) => {
      asked.push(namespace);
      return answer();
    };
    data = new NamespaceData({ hasVulnerabilities }, { now: () => now });
  });

  const feature = (NamespaceName: string, names: string[] = []) => {
    const Vulnerabilities = names.map((Name) => ({ Name, NamespaceName }));
    return { Name: `of ${NamespaceName}`, Version: "1", NamespaceName, Vulnerabilities };
  };

  async function dataOf(...features: object[]): Promise<string[]> {
    const found = parseLayer({ Layer: { NamespaceName: "debian:12", Features: features } }, new Map());
    const { distributions, ...told } = await data.addTo(found, stop.signal);
    warnings = told.warnings;
    return distributions.map(({ namespace, vulnerabilityData }) => `${namespace} ${vulnerabilityData}`);
  }

  test("is asked where nothing was found", async () => {
    assert.deepEqual(await dataOf(), ["debian:12 PRESENT"]);
    answer = async () => false;
    assert.deepEqual(await dataOf(feature("debian:13")), ["debian:12 PRESENT", "debian:13 ABSENT"]);
    assert.deepEqual(asked, ["debian:12", "debian:13"]);
  });

  test("is proven by a finding, for its own distribution alone", async () => {
    answer = async () => false;
    const features = [feature("debian:12", ["CVE-1"]), feature("debian:11")];
    assert.deepEqual(await dataOf(...features), ["debian:12 PRESENT", "debian:11 ABSENT"]);
    assert.deepEqual(asked, ["debian:11"]);
  });

  test("is unknown when Clair cannot be asked, and asked anew by the next scan", async () => {
    answer = () => Promise.reject(new JobFailure("SCANNER_FAULT", "no", { retryable: true }));
    assert.deepEqual(await dataOf(), ["debian:12 UNKNOWN"]);
    assert.deepEqual(warnings, ["whether Clair has data for debian:12 is not known (SCANNER_FAULT: no)"]);
    answer = async () => true;
    assert.deepEqual([await dataOf(), warnings], [["debian:12 PRESENT"], []]);
  });

  test("is not guessed when what failed is Drydock", async () => {
    answer = () => Promise.reject(new TypeError("a bug"));
    await assert.rejects(dataOf(), TypeError);
    answer = async () => true;
    assert.deepEqual(await dataOf(), ["debian:12 PRESENT"]);
  });

  test("is asked once by scans at the same time, and again after two minutes", async () => {
    await Promise.all([dataOf(), dataOf()]);
    now += 119_999;
    await dataOf();
    assert.equal(asked.length, 1);
    now += 1;
    await dataOf();
    assert.equal(asked.length, 2);
  });

  test("is asked again after half a minute where there was none, as Clair's updaters may have run", async () => {
    answer = async () => false;
    await dataOf();
    now += 29_999;
    assert.deepEqual(await dataOf(), ["debian:12 ABSENT"]);
    assert.equal(asked.length, 1);
    answer = async () => true;
    now += 1;
    assert.deepEqual(await dataOf(), ["debian:12 PRESENT"]);
  });

  test("is asked about eight distributions of one image at most", async () => {
    const features = Array.from({ length: 100 }, (_, number) => feature(`made-up:${number}`));
    const told = await dataOf(...features);
    assert.equal(asked.length, 8);
    assert.equal(told.filter((line) => line.endsWith("UNKNOWN")).length, 93);
  });

  test("keeps no scan that is stopped waiting, and others get the answer", async () => {
    const gate = Promise.withResolvers<boolean>();
    answer = () => gate.promise;
    const stopped = dataOf();
    stop.abort(new Error("stopped"));
    await assert.rejects(stopped, /stopped/);
    stop = new AbortController();
    const other = dataOf();
    gate.resolve(true);
    assert.deepEqual(await other, ["debian:12 PRESENT"]);
    assert.equal(asked.length, 1);
  });
});
