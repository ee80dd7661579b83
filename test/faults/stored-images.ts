import type { FaultPlace } from "./fault-place.ts";
import { baseLayer, blobOf, configFor, descriptorOf, manifestOf, types } from "./odd-images.ts";

let count = 0;

/** The configuration of a chart, which is no image. */
export const chart = blobOf(JSON.stringify({ apiVersion: "v2", name: "web", version: "1.0.0" }));

/** The platform of most images. */
export const amd64 = { os: "linux", architecture: "amd64" };

/** The name of a repository that no other case uses. */
export function newRepository(): string {
  return `odd/image-${++count}`;
}

/** Stores a manifest, with its blobs, in a repository of its own; gives the parameters of its scan. */
export function put(place: FaultPlace, body: object | string, headers: Record<string, string> = {}) {
  const repository = newRepository();
  place.registry.addBlobs(configFor("amd64"), chart, baseLayer);
  place.registry.add(repository, "1", body, headers);
  return { repository, tag: "1" };
}

/** Stores an image of that architecture and gives an entry of an index for it. */
export function entryOf(place: FaultPlace, repository: string, architecture: string, platform?: object) {
  const own = configFor(architecture);
  place.registry.addBlobs(own, baseLayer);
  const image = place.registry.add(repository, `for-${architecture}`, manifestOf(own));
  return descriptorOf(image, types.manifest, platform && { platform });
}

/** An OCI index of these entries. */
export function indexOf(...manifests: object[]) {
  return { schemaVersion: 2, mediaType: types.index, manifests };
}
