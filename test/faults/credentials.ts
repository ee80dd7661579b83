import type { Settings } from "../support/stack.ts";
import type { FaultCase } from "./fault-case.ts";
import type { Script } from "./odd-registry.ts";
import { base, basic, basicChallenge, credential, sees } from "./outside.ts";

const notSetUp: FaultCase = {
  ...{ kind: "B2", what: "a worker without a registry beside a good one, 20 scans", right: "all SUCCESS" },
  async run(place) {
    const site = await place.site();
    await place.stack.startWorker(site.controller);
    await site.hire(place.registry);
    sees(await site.scans(20, base, 30_000));
  },
};

const wrongPassword: FaultCase = {
  ...{ kind: "B2", what: "a worker with a wrong password beside a good one, 20 scans", right: "all SUCCESS" },
  async run(place) {
    const script = ({ headers }: { headers: Readonly<Record<string, unknown>> }) =>
      headers.authorization === basic ? undefined : basicChallenge;
    const { site, registry } = await place.siteOf(script, { ...credential, DRYDOCK_REGISTRY_PASSWORD: "wrong" });
    await site.hire(registry, credential);
    sees(await site.scans(20, base, 45_000));
  },
};

/** A registry with a token server: only the right password gives a token for the image; others get these statuses. */
function tokenRegistry(url: () => string, other: { token: number; image: number }): Script {
  const tokens = { right: JSON.stringify({ token: "right" }), other: JSON.stringify({ token: "other" }) };
  return ({ path, headers: { authorization } }) => {
    if (path.startsWith("/token")) {
      return authorization === basic
        ? { status: 200, body: tokens.right }
        : { status: other.token, body: tokens.other };
    }
    if (authorization === "Bearer right") return undefined;
    if (authorization === "Bearer other") return { status: path === "/v2/" ? 200 : other.image };
    return { status: 401, headers: { "www-authenticate": `Bearer realm="${url()}/token",service="odd"` } };
  };
}

const lesser = (what: string, settings: Settings, other: { token: number; image: number }): FaultCase => ({
  ...{
    kind: "B2",
    what: `a worker ${what} beside a good one, 50 scans of a registry with tokens`,
    right: "all SUCCESS",
  },
  async run(place) {
    let url = "";
    const registry = await place.registryThat(tokenRegistry(() => url, other));
    url = registry.url;
    const site = await place.site();
    await site.hire(registry, { DRYDOCK_SLOTS: "16", ...settings });
    await site.hire(registry, credential);
    sees(await site.scans(50, base, 60_000));
  },
});

const restartingWorker: FaultCase = {
  ...{
    kind: "B2",
    what: "20 scans are refused to a worker, the one with rights joins 3 s later",
    right: "all SUCCESS",
  },
  async run(place) {
    let url = "";
    const registry = await place.registryThat(tokenRegistry(() => url, { token: 200, image: 401 }));
    url = registry.url;
    const site = await place.site({ DRYDOCK_REFUSAL_GRACE_SECONDS: "60" });
    await site.hire(registry, { DRYDOCK_SLOTS: "16" });
    const joins = new Promise((resolve) => setTimeout(resolve, 3_000)).then(() => site.hire(registry, credential));
    sees(await site.scans(20, base, 60_000));
    await joins;
  },
};

/** Workers that a registry refuses, beside one that it lets in. */
export const credentials: FaultCase[] = [
  notSetUp,
  wrongPassword,
  lesser("with a wrong password", { ...credential, DRYDOCK_REGISTRY_PASSWORD: "wrong" }, { token: 401, image: 401 }),
  lesser("with a lesser user", { ...credential, DRYDOCK_REGISTRY_USERNAME: "guest" }, { token: 200, image: 403 }),
  lesser("without credentials, who get no token,", {}, { token: 401, image: 401 }),
  lesser("without credentials, who get a token for little,", {}, { token: 200, image: 401 }),
  lesser("without credentials, from whom images are hidden,", {}, { token: 200, image: 404 }),
  restartingWorker,
];
