import assert from "node:assert/strict";
import { mkdtemp, rm, writeFile } from "node:fs/promises";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { createSelfSignedCertificate } from "@drydock/demo/registry/self-signed-certificate.ts";
import type { Settings } from "../support/stack.ts";
import { until } from "../support/until.ts";
import type { FaultCase } from "./fault-case.ts";
import type { FaultPlace, Site } from "./fault-place.ts";
import type { OddRegistry, Script } from "./odd-registry.ts";

const base = { repository: "odd/base", tag: "1" };
const credential = { DRYDOCK_REGISTRY_USERNAME: "reader", DRYDOCK_REGISTRY_PASSWORD: "secret" };
/** The server by the name of its certificate. */
const named = ({ url }: OddRegistry) => url.replace("127.0.0.1", "localhost");

interface Scene {
  site: Site;
  /** With https, as localhost. */
  secure: OddRegistry;
  /** With http on the same host. */
  plain: OddRegistry;
  /** What a worker needs to scan from `secure` or `plain`. */
  settings: Settings;
}

/** A server with https and one without on one host; the scanner reads layers from elsewhere. */
async function withBoth(
  place: FaultPlace,
  scripts: Record<"secure" | "plain", Script>,
  use: (scene: Scene) => unknown,
) {
  const { privateKey, pem } = createSelfSignedCertificate("localhost");
  const directory = await mkdtemp(join(tmpdir(), "drydock-https-"));
  try {
    const path = join(directory, "certificate.pem");
    await writeFile(path, pem);
    const key = privateKey.export({ type: "pkcs8", format: "pem" }).toString();
    const [site, secure, plain] = await Promise.all([
      place.site(),
      place.registryThat(scripts.secure, { key, cert: pem }),
      place.registryThat(scripts.plain),
    ]);
    const trust = { NODE_EXTRA_CA_CERTS: path, DRYDOCK_REGISTRY_SCANNER_URL: place.registry.url };
    await use({ site, secure, plain, settings: { ...credential, ...trust } });
  } finally {
    await rm(directory, { recursive: true, force: true });
  }
}

/** A token server that takes everyone, and a registry that wants its tokens. */
const tokens: Script = ({ path }) =>
  path.startsWith("/token") ? { status: 200, body: '{"token":"t"}' } : { status: 404 };
const wantsTokensOf =
  (server: () => OddRegistry | undefined): Script =>
  ({ headers }) => {
    if (headers.authorization === "Bearer t") return undefined;
    const realm = `Bearer realm="${named(server() ?? assert.fail())}/token",service="odd"`;
    return { status: 401, headers: { "www-authenticate": realm } };
  };

/** The scan meets a refusal that says why, and nothing reaches the server without https. */
async function nothingGoesInPlain({ site, secure, plain, settings }: Scene): Promise<void> {
  await site.hire({ url: named(secure) }, settings);
  const { id } = await site.api.launch("IMAGE_SCAN", base);
  const cause = async () => {
    const queue = (await site.api.status()).queues.find(({ name }) => name === "IMAGE_SCAN");
    return (await site.api.get(id)).lastError?.reason ?? queue?.waitingFor?.reason ?? "";
  };
  const reason = await until("the cause is said", cause, (text) => text !== "", { withinMs: 20_000 });
  assert.match(reason, /REFUSED|INSECURE|UNSUPPORTED/);
  assert.deepEqual(plain.requests, [], "nothing is said without https");
}

const plainRealm: FaultCase = {
  ...{
    kind: "C2",
    what: "an https registry names a plain-http realm of its own host",
    right: "refused, nothing goes there",
  },
  run(place) {
    let plain: OddRegistry | undefined;
    return withBoth(place, { secure: wantsTokensOf(() => plain), plain: tokens }, (scene) => {
      plain = scene.plain;
      return nothingGoesInPlain(scene);
    });
  },
};

const plainRedirect: FaultCase = {
  ...{
    kind: "C2",
    what: "an https registry redirects to plain http of its own host",
    right: "refused, nothing goes there",
  },
  run(place) {
    let plain: OddRegistry | undefined;
    const secure: Script = ({ path }) =>
      path === "/v2/" ? undefined : { status: 307, headers: { location: `${named(plain ?? assert.fail())}${path}` } };
    return withBoth(place, { secure, plain: () => undefined }, (scene) => {
      plain = scene.plain;
      return nothingGoesInPlain(scene);
    });
  },
};

const secureRealm: FaultCase = {
  ...{ kind: "C2", what: "a plain-http registry names an https realm of its own host", right: "used" },
  run(place) {
    let secure: OddRegistry | undefined;
    return withBoth(place, { secure: tokens, plain: wantsTokensOf(() => secure) }, async (scene) => {
      secure = scene.secure;
      await scene.site.hire({ url: named(scene.plain) }, scene.settings);
      await scene.site.findsVulnerability(base);
    });
  },
};

/** C2: between https and plain http. */
export const https: FaultCase[] = [plainRealm, plainRedirect, secureRealm];
