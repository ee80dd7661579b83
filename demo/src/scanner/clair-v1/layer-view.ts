import type { Advisory } from "../matching/advisory.ts";
import type { AdvisoryIndex } from "../matching/advisory-index.ts";
import type { LayerRequest } from "./layer-request.ts";
import type { Feature, IndexedLayer } from "./layer-store.ts";

/** The version of Clair 2.1's engine. */
const engineVersion = 3;

/** Clair says dpkg for Alpine too. */
const versionFormat = "dpkg";

/** What GET /v1/layers/{name} is asked to add. */
export interface ViewOptions {
  features: boolean;
  /** Implies features. */
  vulnerabilities: boolean;
}

/** The answer to POST /v1/layers: the request, headers included. */
export function viewPosted({ name, path, headers, parentName, format }: LayerRequest): object {
  return {
    Layer: {
      Name: name,
      Path: path,
      ...(Object.keys(headers).length > 0 && { Headers: headers }),
      ...(parentName !== "" && { ParentName: parentName }),
      Format: format,
      IndexedByVersion: engineVersion,
    },
  };
}

/** The answer to GET /v1/layers/{name}. Empty fields are left out. */
export function viewLayer(layer: IndexedLayer, advisories: AdvisoryIndex, options: ViewOptions): object {
  const wantsFeatures = options.features || options.vulnerabilities;
  return {
    Layer: {
      Name: layer.name,
      ...(layer.distribution && { NamespaceName: layer.distribution.namespace }),
      ...(layer.parentName && { ParentName: layer.parentName }),
      IndexedByVersion: engineVersion,
      ...(wantsFeatures && layer.features.length > 0 && { Features: viewFeatures(layer, advisories, options) }),
    },
  };
}

/** The answer to GET /v1/namespaces. */
export function viewNamespaces(names: string[]): object {
  const namespaces = names.map((name) => ({ Name: name, VersionFormat: versionFormat }));
  return { Namespaces: namespaces.length > 0 ? namespaces : null };
}

/** The answer to GET /v1/namespaces/{name}/vulnerabilities: null for none, and no fixes. */
export function viewVulnerabilities(advisories: readonly Advisory[]): object {
  const vulnerabilities = advisories.map((advisory) => viewVulnerability({ ...advisory, fixedVersion: null }));
  return { Vulnerabilities: vulnerabilities.length > 0 ? vulnerabilities : null };
}

function viewFeatures(layer: IndexedLayer, advisories: AdvisoryIndex, options: ViewOptions): object[] {
  return layer.features.map((feature) => {
    const affecting = options.vulnerabilities ? findAffecting(layer, feature, advisories) : [];
    return {
      Name: feature.name,
      ...(layer.distribution && { NamespaceName: layer.distribution.namespace }),
      VersionFormat: versionFormat,
      Version: feature.version,
      ...(affecting.length > 0 && { Vulnerabilities: affecting.map(viewVulnerability) }),
      AddedBy: feature.addedBy,
    };
  });
}

function findAffecting({ distribution }: IndexedLayer, feature: Feature, advisories: AdvisoryIndex): Advisory[] {
  return distribution === undefined
    ? []
    : advisories.affecting({ ...distribution, package: feature.name, version: feature.version });
}

/** A vulnerability of a package, as Clair shows it. */
export function viewVulnerability({
  name,
  namespace,
  description,
  link,
  severity,
  cvss3,
  fixedVersion,
}: Advisory): object {
  return {
    Name: name,
    NamespaceName: namespace,
    Description: description,
    Link: link,
    Severity: severity,
    ...(cvss3 && { Metadata: { NVD: { CVSSv3: { Score: cvss3.score, Vectors: cvss3.vector } } } }),
    ...(fixedVersion !== null && { FixedBy: fixedVersion }),
  };
}
