import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { proxyFor, proxyForTarget, readProxies } from "./proxies.ts";

const proxy = "http://proxy:3128/";
const both = { HTTP_PROXY: "http://plain:1", HTTPS_PROXY: "http://secure:2" };

function by(env: Record<string, string>, url: string): string | undefined {
  return proxyFor(new URL(url), readProxies(env))?.href;
}

describe("a proxy", () => {
  test("is that of HTTP_PROXY for http, that of HTTPS_PROXY for https, and HTTP_PROXY's where that is not set", () => {
    assert.equal(by(both, "http://a.test/"), "http://plain:1/");
    assert.equal(by(both, "https://a.test/"), "http://secure:2/");
    assert.equal(by({ HTTP_PROXY: proxy }, "https://a.test/"), proxy);
    assert.equal(by({ HTTPS_PROXY: proxy }, "http://a.test/"), undefined);
    assert.equal(by({}, "https://a.test/"), undefined);
  });

  test("may be named in lower case, which goes first unless it is empty", () => {
    assert.equal(by({ ...both, http_proxy: proxy }, "http://a.test/"), proxy);
    assert.equal(by({ ...both, http_proxy: "" }, "http://a.test/"), "http://plain:1/");
    assert.equal(by({ HTTP_PROXY: proxy, no_proxy: "a.test", NO_PROXY: "b.test" }, "http://a.test/"), undefined);
  });

  test("may be named without http://", () => {
    assert.equal(by({ HTTP_PROXY: "proxy:3128" }, "http://a.test/"), proxy);
  });

  test("of another kind is a fault that shows no password", () => {
    for (const value of ["socks5://user:secret@proxy:1080", "http://", "ftp://proxy"]) {
      assert.throws(
        () => readProxies({ https_proxy: value }),
        ({ message }: Error) => {
          assert.match(message, /https_proxy is ".*must be an http:\/\/ or https:\/\/ URL; e\.g\. https_proxy=http/s);
          return !message.includes("secret");
        },
      );
    }
  });

  test("never leads to loopback, however it is written", () => {
    for (const host of [
      "127.0.0.1",
      "127.9.9.9",
      "2130706433",
      "0x7f.1",
      "0.0.0.0",
      "localhost",
      "LOCALHOST.",
      "a.localhost",
    ]) {
      assert.equal(by({ HTTP_PROXY: proxy }, `http://${host}:5000/`), undefined, host);
    }
    for (const host of ["[::1]", "[::]", "[::ffff:127.0.0.1]"]) {
      assert.equal(by({ HTTP_PROXY: proxy }, `http://${host}/`), undefined, host);
    }
    assert.equal(by({ HTTP_PROXY: proxy }, "http://localhost.test/"), proxy);
  });
});

describe("NO_PROXY", () => {
  const spares = (entries: string, url: string) => by({ HTTP_PROXY: proxy, NO_PROXY: entries }, url) === undefined;

  const spared: [entries: string, urls: string[]][] = [
    ["*", ["http://a.test/", "https://10.0.0.1/"]],
    ["a.test", ["http://a.test/", "http://A.TEST:8080/", "http://x.a.test./"]],
    [".a.test", ["http://a.test/", "http://x.a.test/"]],
    ["*.a.test", ["http://x.a.test/"]],
    ["A.TEST.", ["http://a.test/"]],
    ["b.test, a.test", ["http://a.test/"]],
    ["b.test a.test", ["http://a.test/"]],
    ["a.test:80", ["http://a.test/"]],
    ["a.test:443", ["https://a.test/"]],
    ["10.0.0.1", ["http://10.0.0.1:5000/"]],
    ["10.0.0.0/8,192.168.0.0/16", ["http://10.1.2.3/", "http://192.168.1.1/"]],
    ["fd00::/8", ["http://[fd12::1]/"]],
    ["[fd12::1]", ["http://[fd12::1]:5000/"]],
    ["fd12::1", ["http://[fd12::1]/"]],
    ["[fd12::1]:5000", ["http://[fd12::1]:5000/"]],
  ];
  for (const [entries, urls] of spared) {
    test(`${entries} spares ${urls.join(", ")}`, () => {
      for (const url of urls) assert.ok(spares(entries, url), url);
    });
  }

  const reached: [entries: string, url: string][] = [
    ["", "http://a.test/"],
    ["a.test", "http://ba.test/"],
    ["a.test", "http://a.test.evil.test/"],
    ["a.test:80", "http://a.test:8080/"],
    ["10.0.0.0/8", "http://11.0.0.1/"],
    ["10.0.0.0/33", "http://10.0.0.1/"],
    ["fd00::/8", "http://10.0.0.1/"],
    [" , ,", "http://a.test/"],
  ];
  for (const [entries, url] of reached) {
    test(`${JSON.stringify(entries)} does not spare ${url}`, () => assert.equal(spares(entries, url), false));
  }
});

test("a gRPC target is reached as https is, if a name is to be looked up", () => {
  const way = (target: string, env: Record<string, string> = both) => {
    const found = proxyForTarget(target, readProxies(env));
    return found && [found.proxy.href, found.host];
  };
  for (const target of ["controller.test:50051", "dns:controller.test:50051", "dns:///controller.test:50051"]) {
    assert.deepEqual(way(target), ["http://secure:2/", "controller.test:50051"], target);
  }
  assert.deepEqual(way("dns://10.0.0.53/controller.test"), ["http://secure:2/", "controller.test:443"]);
  assert.deepEqual(way("10.0.0.1:50051"), ["http://secure:2/", "10.0.0.1:50051"]);
  const direct = ["127.0.0.1:1", "[::1]:1", "localhost:1", "dns:///localhost:1", "unix:/run/x.sock", "unix:x"];
  for (const target of [...direct, "ipv4:10.0.0.1:1,10.0.0.2:1", "ipv6:[fd12::1]:1"]) {
    assert.equal(way(target), undefined, target);
  }
  assert.equal(way("controller.test:50051", { ...both, NO_PROXY: "controller.test" }), undefined);
});
