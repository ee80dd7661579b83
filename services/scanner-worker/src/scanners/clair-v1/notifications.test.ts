import assert from "node:assert/strict";
import { describe, test } from "node:test";
import type { Send } from "./client.ts";
import { createClairNotifications } from "./notifications.ts";

const signal = new AbortController().signal;

function notificationsFor(status: number, body: unknown) {
  const asked: string[] = [];
  const send: Send = async ({ method, url }) => {
    asked.push(`${method} ${url}`);
    return { status, body: new TextEncoder().encode(typeof body === "string" ? body : JSON.stringify(body)) };
  };
  return { asked, notifications: createClairNotifications({ url: "http://clair:6060/", send }) };
}

const missing = { Error: { Message: "the resource cannot be found" } };

describe("a notification of Clair's", () => {
  test("names the layers of both sides, in either form, and its next page", async () => {
    const { asked, notifications } = notificationsFor(200, {
      Notification: {
        Name: "n/1",
        NextPage: "gAAA==",
        Old: { Vulnerability: { Name: "CVE-1" }, LayersIntroducingVulnerability: ["a", "b"] },
        New: {
          Vulnerability: { Name: "CVE-1" },
          OrderedLayersIntroducingVulnerability: [
            { Index: 1, LayerName: "b" },
            { Index: 2, LayerName: "c" },
          ],
        },
      },
    });
    const page = await notifications.read("n/1", "x y", signal);
    assert.deepEqual(page, { layerNames: ["a", "b", "c"], vulnerabilities: ["CVE-1"], next: "gAAA==" });
    assert.deepEqual(asked, ["GET http://clair:6060/v1/notifications/n%2F1?limit=100&page=x%20y"]);
  });

  test("may be of a vulnerability that is new, or gone", async () => {
    const { notifications } = notificationsFor(200, { Notification: { New: { Vulnerability: { Name: "CVE-2" } } } });
    const page = await notifications.read("n", undefined, signal);
    assert.deepEqual(page, { layerNames: [], vulnerabilities: ["CVE-2"], next: undefined });
  });

  test("is not there any more, or is deleted", async () => {
    const { asked, notifications } = notificationsFor(404, missing);
    assert.equal(await notifications.read("n", undefined, signal), undefined);
    await notifications.remove("n", signal);
    assert.deepEqual(asked.at(-1), "DELETE http://clair:6060/v1/notifications/n");
    await notificationsFor(200, "").notifications.remove("n", signal);
  });

  for (const [status, body, reason] of [
    [200, { Notification: { Old: { LayersIntroducingVulnerability: "all" } } }, "SCANNER_FAULT"],
    [200, "{}", "SCANNER_FAULT"],
    [404, "404 page not found", "SCANNER_UNSUPPORTED"],
    [500, missing, "SCANNER_FAULT"],
  ] as const) {
    test(`is ${reason} when Clair answers ${status} ${JSON.stringify(body)}`, async () => {
      await assert.rejects(notificationsFor(status, body).notifications.read("n", undefined, signal), { reason });
    });
  }
});
