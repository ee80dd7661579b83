import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { pagesOf } from "./links.ts";

describe("the links of a vulnerability", () => {
  test("are those that lead to pages of the web, each once", () => {
    const page = "https://security.example/CVE-2026-1?a=1&b=2#c";
    assert.deepEqual(pagesOf([page, "http://a.example/", page]), [page, "http://a.example/"]);
  });

  test("are URIs, whatever letters they were written with", () => {
    assert.deepEqual(pagesOf(["HTTPS://Security.Example/ü\u202e"]), ["https://security.example/%C3%BC%E2%80%AE"]);
  });

  test("lead nowhere else", () => {
    const others = [
      ...[
        "javascript:alert(1)",
        " javascript:alert(1)",
        "java\nscript:alert(1)",
        "data:text/html,x",
        "file:///etc/passwd",
      ],
      ...[
        "//x.example",
        "/x",
        "",
        "https://",
        "https://a b",
        "https://x.example/%zz",
        "https://x.example/|",
        "ftp://x.example",
      ],
    ];
    assert.deepEqual(pagesOf(others), []);
  });
});
