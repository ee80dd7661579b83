import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { intersect, parseScopes, pullRights } from "./access.ts";

describe("access", () => {
  test("scopes name type, name and actions", () => {
    assert.deepEqual(parseScopes(["repository:library/web:pull,push registry:catalog:*", "nonsense"]), [
      { type: "repository", name: "library/web", actions: ["pull", "push"] },
      { type: "registry", name: "catalog", actions: ["*"] },
    ]);
  });

  test("a repository's name may hold a port", () => {
    assert.equal(parseScopes(["repository:host:5000/web:pull"])[0]?.name, "host:5000/web");
  });

  test("a token allows what was asked for and is allowed", () => {
    const requested = parseScopes(["repository:library/web:pull,push"]);
    assert.deepEqual(intersect(requested, pullRights)[0]?.actions, ["pull"]);
    assert.deepEqual(
      intersect(requested, [{ type: "repository", name: "other/*", actions: ["pull"] }])[0]?.actions,
      [],
    );
  });
});
