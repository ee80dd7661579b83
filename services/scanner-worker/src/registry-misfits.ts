import { isKeyOf } from "./pem-files.ts";

/** What the registry's settings are; those that have a fault of their own are left out. */
type Settings = Readonly<Record<string, unknown>>;

const names = {
  url: "DRYDOCK_REGISTRY_URL",
  tokenUrl: "DRYDOCK_REGISTRY_TOKEN_URL",
  username: "DRYDOCK_REGISTRY_USERNAME",
  password: "DRYDOCK_REGISTRY_PASSWORD",
  identityToken: "DRYDOCK_REGISTRY_IDENTITY_TOKEN",
  harborSecret: "DRYDOCK_REGISTRY_HARBOR_SECRET",
  certificate: "DRYDOCK_REGISTRY_CLIENT_CERT",
  key: "DRYDOCK_REGISTRY_CLIENT_KEY",
} as const;

/** The faults of the registry's settings that do not fit each other, a line each. */
export function registryMisfits(settings: Settings): string[] {
  return [
    ...downgrade(settings),
    ...half(settings, [names.username, names.password], "to log in to the registry, or neither to log in as nobody"),
    ...tooMany(settings),
    ...half(settings, [names.certificate, names.key], "to be known to the registry by a certificate, or neither"),
    ...wrongKey(settings),
  ];
}

function downgrade(settings: Settings): string[] {
  if (!textOf(settings, names.url).startsWith("https:") || !textOf(settings, names.tokenUrl).startsWith("http:"))
    return [];
  return [
    `${names.tokenUrl} is an http:// URL: credentials of a registry with https must not go there; set it to an https:// URL`,
  ];
}

function half(settings: Settings, pair: readonly [string, string], what: string): string[] {
  if (!pair.every((name) => name in settings)) return [];
  const [one, other] = pair;
  if (isSet(settings, one) === isSet(settings, other)) return [];
  const [given, missing] = isSet(settings, one) ? pair : [other, one];
  return [`${given} is set and ${missing} is not: set both ${what}`];
}

function tooMany(settings: Settings): string[] {
  const given = [names.username, names.identityToken, names.harborSecret].filter((name) => isSet(settings, name));
  return given.length < 2 ? [] : [`${given.join(" and ")} are set: set one way to log in to the registry`];
}

function wrongKey(settings: Settings): string[] {
  const [certificate, key] = [textOf(settings, names.certificate), textOf(settings, names.key)];
  if (certificate === "" || key === "" || isKeyOf(key, certificate)) return [];
  return [
    `${names.key} is not the key of the certificate that ${names.certificate} names: name the two that belong together`,
  ];
}

function isSet(settings: Settings, name: string): boolean {
  return settings[name] !== undefined;
}

function textOf(settings: Settings, name: string): string {
  const value = settings[name];
  return typeof value === "string" ? value : "";
}
