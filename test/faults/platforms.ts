import assert from "node:assert/strict";
import type { FaultCase } from "./fault-case.ts";
import { baseLayer, configFor, descriptorOf, manifestOf, types } from "./odd-images.ts";
import { entryOf, indexOf, newRepository, put } from "./stored-images.ts";

const nested: FaultCase = {
  ...{ kind: "A4", what: "an index of two indexes, arm64's first, linux/amd64 asked", right: "amd64's image" },
  async run(place) {
    const repository = "odd/nested";
    const inner = ["arm64", "amd64"].map((architecture) => {
      const image = entryOf(place, repository, architecture, { os: "linux", architecture });
      return place.registry.add(repository, `index-${architecture}`, indexOf(image));
    });
    place.registry.add(repository, "1", indexOf(...inner.map((index) => descriptorOf(index, types.index))));
    const report = await place.home.findsVulnerability({ repository, tag: "1", platform: "linux/amd64" });
    assert.equal(report.artifact?.platform?.architecture, "amd64");
  },
};

const variant: FaultCase = {
  ...{ kind: "A4", what: "linux/arm64/v8 asked, the entry says linux/arm64", right: "that image" },
  async run(place) {
    const repository = "odd/variant";
    const image = entryOf(place, repository, "arm64", { os: "linux", architecture: "arm64" });
    place.registry.add(repository, "1", indexOf(image));
    await place.home.findsVulnerability({ repository, tag: "1", platform: "linux/arm64/v8" });
  },
};

const otherPlatform: FaultCase = {
  ...{ kind: "A4", what: "linux/s390x asked of a single image for amd64", right: "an error; asked for amd64, that" },
  async run(place) {
    const reference = { repository: "odd/base", tag: "1" };
    const job = await place.home.scan({ ...reference, platform: "linux/s390x" });
    assert.deepEqual([job.status, job.lastError?.reason], ["ERROR", "PLATFORM_UNKNOWN"]);
    const report = await place.home.findsVulnerability({ ...reference, platform: "linux/amd64" });
    assert.equal(report.artifact?.platform?.architecture, "amd64");
  },
};

/** An entry of an index names half a platform: the image's configuration tells all of it. */
const halfPlatform = (half: object): FaultCase => ({
  ...{
    kind: "A4",
    what: `linux/amd64 asked, arm64's entry and its own name ${JSON.stringify(half)}`,
    right: "amd64's image",
  },
  async run(place) {
    const repository = newRepository();
    const entries = ["arm64", "amd64"].map((architecture) => entryOf(place, repository, architecture, half));
    place.registry.add(repository, "1", indexOf(...entries));
    for (const asked of [{ platform: "linux/amd64" }, {}]) {
      const { artifact } = await place.home.findsVulnerability({ repository, tag: "1", ...asked });
      assert.deepEqual(artifact?.platform, { os: "linux", architecture: "amd64", variant: "" });
    }
  },
});

/** A single image of a variant of arm, scanned or not for the platform asked for. */
const armImage = (has: string, wanted: string, isServed: boolean): FaultCase => ({
  ...{
    kind: "A4",
    what: `${wanted} asked, the image is linux/arm/${has}`,
    right: isServed ? "that image" : "an error",
  },
  async run(place) {
    const own = configFor("arm", [baseLayer], has);
    place.registry.addBlobs(own);
    const parameters = { ...put(place, manifestOf(own)), platform: wanted };
    if (isServed) {
      const { artifact } = await place.home.findsVulnerability(parameters);
      assert.equal(artifact?.platform?.variant, has);
      return;
    }
    const { status, lastError } = await place.home.scan(parameters);
    assert.deepEqual([status, lastError?.reason], ["ERROR", "PLATFORM_UNKNOWN"]);
  },
});

/** A4: which of several images is scanned. */
export const platforms: FaultCase[] = [
  nested,
  variant,
  otherPlatform,
  halfPlatform({ os: "linux" }),
  halfPlatform({ variant: "v8" }),
  armImage("v6", "linux/arm/v7", true),
  armImage("v6", "Linux/ARM64", true),
  armImage("v7", "linux/armel", false),
];
