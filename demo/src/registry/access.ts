/** What a user may do with whose names a pattern matches. */
export interface Right {
  /** A repository or the registry's catalog. */
  type: "repository" | "registry";
  /** A name, or the beginning of names and a star: `library/*`, `*`. */
  name: string;
  actions: string[];
}

/** Somebody who may ask for tokens. */
export interface User {
  username: string;
  password: string;
  rights: Right[];
}

/** What a token allows, as the registry reads it. */
export interface Access {
  type: string;
  name: string;
  actions: string[];
}

/** Everything. */
export const allRights: Right[] = [
  { type: "repository", name: "*", actions: ["pull", "push", "delete"] },
  { type: "registry", name: "*", actions: ["*"] },
];

/** To pull from every repository and to list them. */
export const pullRights: Right[] = [
  { type: "repository", name: "*", actions: ["pull"] },
  { type: "registry", name: "catalog", actions: ["*"] },
];

/** Reads scopes, `type:name:action,action`, several of them separated by spaces. What is no scope is skipped. */
export function parseScopes(scopes: string[]): Access[] {
  return scopes
    .flatMap((text) => text.split(" "))
    .flatMap((scope) => {
      const match = /^([^:]+):(.+):([^:]+)$/.exec(scope);
      if (match === null) return [];
      const [, type = "", name = "", actions = ""] = match;
      return [{ type, name, actions: actions.split(",") }];
    });
}

/** The part of the requested access that the rights allow. Less is no error: the registry then names what is missing. */
export function intersect(requested: Access[], rights: Right[]): Access[] {
  return requested.map(({ type, name, actions }) => {
    const allowed = rights.filter((right) => right.type === type && matches(right.name, name));
    return { type, name, actions: actions.filter((action) => allowed.some((right) => right.actions.includes(action))) };
  });
}

function matches(pattern: string, name: string): boolean {
  return pattern.endsWith("*") ? name.startsWith(pattern.slice(0, -1)) : name === pattern;
}
