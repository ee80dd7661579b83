import { readFileSync } from "node:fs";
import { z } from "zod";
import { dpkgStatusFile, osReleaseFile } from "./package-files.ts";
import { buildImage, type SampleImage } from "./sample-image.ts";
import { smallImages } from "./small-images.ts";
import { motd, specialImages } from "./special-images.ts";
import type { TarFile } from "./tar-writer.ts";

const realDebianFile = z.object({
  osRelease: z.record(z.string(), z.string()),
  packages: z.array(
    z.object({
      package: z.string(),
      version: z.string(),
      architecture: z.string(),
      source: z.string(),
      sourceVersion: z.string(),
      layer: z.enum(["base", "web"]),
    }),
  ),
});

/** The images of the demo and the tests. They hold package databases alone: enough to be scanned, nothing to run. */
export function sampleImages(): SampleImage[] {
  return [...realDebianImages(), ...smallImages(), ...specialImages()];
}

/**
 * More tags for the scan of all, as registries have them: most point at an image that another tag points at too. Beside
 * them a new image that shares all layers but one, and an index of images that are there by themselves.
 */
export function moreTags(): SampleImage[] {
  const [debian, web] = realDebianImages();
  const multi = sampleImage("library/multi:1.0");
  if (debian === undefined || web === undefined) throw new Error("the Debian images are missing");
  const news: TarFile[] = [{ path: "etc/motd", content: "Version 1.1.\n" }];
  const next = { repository: "library/web", tag: "1.1", description: "the web server with one layer of its own" };
  return [
    buildImage(next, [...realDebianLayers(), news]),
    ...["latest", "stable", "prod"].map((tag) => ({ ...web, tag })),
    ...["1.0", "1"].map((tag) => ({ ...web, repository: "mirror/web", tag })),
    ...["bookworm", "latest"].map((tag) => ({ ...debian, tag })),
    { ...multi, tag: "latest" },
  ];
}

/** The image of the name, `repository:tag`. */
export function sampleImage(name: string): SampleImage {
  const image = sampleImages().find(({ repository, tag }) => `${repository}:${tag}` === name);
  if (image === undefined) throw new Error(`there is no sample image ${name}`);
  return image;
}

/**
 * A real system's packages, with the web server's on a layer of their own. A layer's database names all packages up to
 * that layer.
 */
function realDebianImages(): SampleImage[] {
  const [base = [], packages = []] = realDebianLayers();
  const debian = { repository: "library/debian", tag: "12", description: "a small Debian 12" };
  const web = { repository: "library/web", tag: "1.0", description: "nginx, git, curl and Python on Debian 12" };
  return [buildImage(debian, [base]), buildImage(web, [base, packages, motd])];
}

function realDebianLayers(): [base: TarFile[], web: TarFile[]] {
  const path = new URL("../../data/images/debian-12-web.json", import.meta.url);
  const { osRelease, packages } = realDebianFile.parse(JSON.parse(readFileSync(path, "utf8")));
  const base = [osReleaseFile(osRelease), dpkgStatusFile(packages.filter(({ layer }) => layer === "base"))];
  return [base, [dpkgStatusFile(packages)]];
}
