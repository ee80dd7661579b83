import { dpkgStatusFile, dpkgStatusFiles, osReleaseFile, type SamplePackage } from "./package-files.ts";
import { buildHelmChart, buildImage, buildIndex, type SampleImage } from "./sample-image.ts";
import type { TarFile } from "./tar-writer.ts";

/** A layer without packages. */
export const motd: TarFile[] = [{ path: "etc/motd", content: "Nothing to scan here.\n" }];

/** Images of several platforms, images of which a scanner can say little or nothing, and what is no image. */
export function specialImages(): SampleImage[] {
  return [...indexes(), distroless(), withoutData(), scratch(), chart()];
}

function indexes(): SampleImage[] {
  const multi = { repository: "library/multi", tag: "1.0", description: "an index of images for arm64 and amd64" };
  const bare = { repository: "library/multi-bare", tag: "1.0", description: "a manifest list that names no platforms" };
  return [
    buildIndex(multi, imagesFor("oci"), { platforms: ["linux/arm64", "linux/amd64"] }),
    buildIndex(bare, imagesFor("docker"), { format: "docker" }),
  ];
}

/** An image for arm64 that is clean, then one for amd64 that is not. */
function imagesFor(format: "docker" | "oci"): SampleImage[] {
  return (["arm64", "amd64"] as const).map((architecture) => {
    const label = { repository: "", tag: "", description: `for ${architecture}` };
    const packages = [sudo(architecture === "amd64" ? "1.8.27-1+deb10u2" : "1.8.27-1+deb10u3", architecture)];
    return buildImage(label, [[debian("10", "buster"), dpkgStatusFile(packages)]], { format, architecture });
  });
}

function distroless(): SampleImage {
  const label = { repository: "library/distroless", tag: "12", description: "a Debian without dpkg, as distroless is" };
  const files = dpkgStatusFiles([sudo("1.9.13p3-1+deb12u1", "amd64")]);
  return buildImage(label, [[debian("12", "bookworm"), ...files]], { format: "oci" });
}

function withoutData(): SampleImage {
  const label = { repository: "library/debian", tag: "13", description: "a Debian that the scanner has no data for" };
  return buildImage(label, [[debian("13", "trixie"), dpkgStatusFile([sudo("1.9.16p2-3", "amd64")])]]);
}

function scratch(): SampleImage {
  const label = { repository: "library/scratch", tag: "1.0", description: "an image without an operating system" };
  return buildImage(label, [motd]);
}

function chart(): SampleImage {
  const label = { repository: "charts/web", tag: "1.0.0", description: "a Helm chart, which is no image" };
  return buildHelmChart(label, [{ path: "web/Chart.yaml", content: "apiVersion: v2\nname: web\nversion: 1.0.0\n" }]);
}

function debian(versionId: string, codename: string): TarFile {
  const name = "Debian GNU/Linux";
  const version = `${versionId} (${codename})`;
  return osReleaseFile({ NAME: name, ID: "debian", VERSION_ID: versionId, PRETTY_NAME: `${name} ${version}` });
}

function sudo(version: string, architecture: string): SamplePackage {
  return { package: "sudo", version, architecture, source: "sudo", sourceVersion: version };
}
