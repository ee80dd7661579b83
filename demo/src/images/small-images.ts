import { apkInstalledFile, dpkgStatusFile, osReleaseFile, type SamplePackage } from "./package-files.ts";
import { buildImage, type SampleImage } from "./sample-image.ts";

/** An image of a few packages, each written as `name version [source]`. */
interface SmallImage {
  repository: string;
  tag: string;
  description: string;
  distribution: Distribution;
  packages: string[];
}

type Distribution =
  | { id: "debian"; versionId: string; codename: string }
  | { id: "alpine"; versionId: string; format: "docker" | "oci" };

const table: SmallImage[] = [
  {
    repository: "library/debian",
    tag: "7",
    description: "Heartbleed and Shellshock",
    distribution: { id: "debian", versionId: "7", codename: "wheezy" },
    packages: ["bash 4.2+dfsg-0.1", "libssl1.0.0 1.0.1e-2+deb7u4 openssl", "openssl 1.0.1e-2+deb7u4"],
  },
  {
    repository: "library/debian",
    tag: "10",
    description: "Baron Samedit",
    distribution: { id: "debian", versionId: "10", codename: "buster" },
    packages: ["sudo 1.8.27-1+deb10u2"],
  },
  {
    repository: "library/debian",
    tag: "11",
    description: "vulnerabilities with and without a fix",
    distribution: { id: "debian", versionId: "11", codename: "bullseye" },
    packages: [
      "apt 2.2.4",
      "coreutils 8.32-4",
      "gzip 1.10-4",
      "liblzma5 5.2.5-2 xz-utils",
      "libssl1.1 1.1.1k-1+deb11u1 openssl",
      "zlib1g 1:1.2.11.dfsg-2 zlib",
    ],
  },
  {
    repository: "library/debian",
    tag: "12-old",
    description: "regreSSHion, Looney Tunables and Rapid Reset",
    distribution: { id: "debian", versionId: "12", codename: "bookworm" },
    packages: [
      "curl 7.88.1-10+deb12u3",
      "libc6 2.36-9+deb12u2 glibc",
      "libnghttp2-14 1.52.0-1 nghttp2",
      "libwebp7 1.2.4-0.2 libwebp",
      "openssh-server 1:9.2p1-2+deb12u2 openssh",
    ],
  },
  {
    repository: "library/clean",
    tag: "1.0",
    description: "a Debian 12 with every fix",
    distribution: { id: "debian", versionId: "12", codename: "bookworm" },
    packages: [
      "bash 5.2.15-2",
      "coreutils 9.1-1",
      "libc6 2.36-9+deb12u14 glibc",
      "tzdata 2026b-0+deb12u1",
      "zlib1g 1:1.2.13.dfsg-1 zlib",
    ],
  },
  {
    repository: "library/alpine",
    tag: "3.14",
    description: "a vulnerability of Alpine's package manager",
    distribution: { id: "alpine", versionId: "3.14.0", format: "docker" },
    packages: ["apk-tools 2.12.5-r1", "musl 1.2.2-r3", "busybox 1.33.1-r2", "ssl_client 1.33.1-r2 busybox"],
  },
  {
    repository: "library/alpine",
    tag: "3.15",
    description: "vulnerabilities of busybox and zlib, as an OCI image",
    distribution: { id: "alpine", versionId: "3.15.0", format: "oci" },
    packages: ["busybox 1.34.1-r4", "ssl_client 1.34.1-r4 busybox", "zlib 1.2.12-r1", "musl 1.2.2-r7"],
  },
];

/** One image for each of the well-known vulnerabilities, and one without any. */
export function smallImages(): SampleImage[] {
  return table.map(build);
}

function build({ distribution, packages, ...label }: SmallImage): SampleImage {
  const { id, versionId } = distribution;
  if (id === "alpine") {
    const release = { NAME: "Alpine Linux", ID: id, VERSION_ID: versionId, PRETTY_NAME: `Alpine Linux ${versionId}` };
    const files = [
      osReleaseFile(release),
      { path: "etc/alpine-release", content: `${versionId}\n` },
      apkInstalledFile(packages.map((line) => readPackage(line, "x86_64"))),
    ];
    return buildImage(label, [files], { format: distribution.format });
  }
  const version = `${versionId} (${distribution.codename})`;
  const release = {
    NAME: "Debian GNU/Linux",
    ID: id,
    VERSION_ID: versionId,
    PRETTY_NAME: `Debian GNU/Linux ${version}`,
  };
  return buildImage(label, [
    [osReleaseFile(release), dpkgStatusFile(packages.map((line) => readPackage(line, "amd64")))],
  ]);
}

function readPackage(line: string, architecture: string): SamplePackage {
  const [name = "", version = "", source = name] = line.split(" ");
  return { package: name, version, architecture, source, sourceVersion: version };
}
