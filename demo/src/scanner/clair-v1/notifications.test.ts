import assert from "node:assert/strict";
import { beforeEach, describe, test } from "node:test";
import { AdvisoryIndex } from "../matching/advisory-index.ts";
import type { LayerIndexer } from "./layer-indexer.ts";
import { type IndexedLayer, LayerStore } from "./layer-store.ts";
import { Notifications } from "./notifications.ts";
import { answerClairV1, type ClairV1Deps } from "./routes.ts";

const signal = new AbortController().signal;
const at = "/v1/namespaces/debian:12/vulnerabilities";

interface Side {
  Vulnerability: { Name: string; FixedIn: { Name: string; Version: string }[] };
  LayersIntroducingVulnerability: string[];
}

/** A layer on the one before, that brings curl in the version; all of Debian 12. */
function layer(name: string, parentName: string | undefined, version: string): IndexedLayer {
  const features = [{ name: "curl", version, addedBy: name }];
  const distribution = { namespace: "debian:12", versionOrder: "dpkg" } as const;
  return { name, parentName, distribution, features, inventory: {} as IndexedLayer["inventory"] };
}

describe("a changed vulnerability", () => {
  let deps: ClairV1Deps;
  let told: string[];

  beforeEach(() => {
    const store = new LayerStore();
    for (const one of ["a", "b", "c"]) store.add(layer(one, undefined, "7.0"));
    store.add(layer("mended", undefined, "8.0"));
    told = [];
    const notifications = new Notifications(store);
    const advisories = new AdvisoryIndex([]);
    const indexer = {} as LayerIndexer;
    const notify = (name: string) => void told.push(name);
    deps = { store, indexer, advisories, notifications, notify, onLayer: undefined, timeoutMs: 1_000 };
  });

  const ask = async (method: string, path: string, body: unknown = {}) => {
    const call = { method, url: new URL(path, "http://scanner"), body: async () => JSON.stringify(body), signal };
    const { status, body: answer } = await answerClairV1(deps, call);
    return {
      status,
      answer: answer as { Notification: { NextPage?: string; Old?: Side; New?: Side; Deleted?: string } },
    };
  };
  const add = (Version: string) =>
    ask("POST", at, { Vulnerability: { Name: "CVE-1", Severity: "High", FixedIn: [{ Name: "curl", Version }] } });

  test("is told of with the layers that bring an affected package, page by page, until it is deleted", async () => {
    assert.equal((await add("7.5")).status, 201);
    const path = `/v1/notifications/${told[0]}`;
    const layers: string[][] = [];
    let page = "";
    do {
      const { answer } = await ask("GET", `${path}?limit=2${page}`);
      const { New, Old, NextPage } = answer.Notification;
      assert.deepEqual([New?.Vulnerability.FixedIn[0]?.Version, Old], ["7.5", undefined]);
      layers.push(New?.LayersIntroducingVulnerability ?? []);
      page = NextPage === undefined ? "" : `&page=${NextPage}`;
    } while (page !== "");
    assert.deepEqual(layers, [["a", "b"], ["c"]]);
    assert.equal((await ask("DELETE", path)).status, 200);
    assert.equal(deps.notifications.isDone(told[0] ?? ""), true);
    assert.ok((await ask("GET", `${path}?limit=2`)).answer.Notification.Deleted);
  });

  test("has both sides when it was there before, and the old one alone when it is gone", async () => {
    await add("7.5");
    await add("8.5");
    const changed = (await ask("GET", `/v1/notifications/${told[1]}?limit=9`)).answer.Notification;
    assert.deepEqual(changed.Old?.LayersIntroducingVulnerability, ["a", "b", "c"]);
    assert.deepEqual(changed.New?.LayersIntroducingVulnerability, ["a", "b", "c", "mended"]);
    assert.equal((await ask("DELETE", `${at}/CVE-1`)).status, 200);
    const gone = (await ask("GET", `/v1/notifications/${told[2]}?limit=9`)).answer.Notification;
    assert.deepEqual([gone.Old?.Vulnerability.Name, gone.New], ["CVE-1", undefined]);
    assert.deepEqual(deps.advisories.inNamespace("debian:12"), []);
  });

  test("that is not known is refused, as are requests that say too little", async () => {
    assert.equal((await ask("DELETE", `${at}/CVE-2`)).status, 404);
    assert.equal((await ask("GET", "/v1/notifications/none?limit=1")).status, 404);
    await add("7.5");
    assert.equal((await ask("GET", `/v1/notifications/${told[0]}`)).status, 400);
    assert.equal((await ask("GET", `/v1/notifications/${told[0]}?limit=1&page=x`)).status, 400);
    assert.equal((await ask("POST", at, {})).status, 400);
    assert.equal((await ask("PUT", `/v1/notifications/${told[0]}`)).status, 405);
  });
});
