import { z } from "zod";

const claims = z.object({ access: z.array(z.object({ type: z.string(), actions: z.array(z.string()) })).nullable() });

/**
 * Whether a token, by its own words, opens the repository that it was asked for: token servers answer with fewer rights than
 * were asked for, or none (distribution, "Token Authentication Specification"). Undefined when it does not say: it is no
 * token, or an opaque one.
 */
export function opensRepository(authorization: string | undefined): boolean | undefined {
  const [, payload] = /^Bearer [\w-]+\.([\w-]+)\.[\w-]*$/.exec(authorization ?? "") ?? [];
  const read = claims.safeParse(payload && tryJson(Buffer.from(payload, "base64url").toString()));
  if (!read.success) return undefined;
  const pulls = (actions: string[]) => actions.includes("pull") || actions.includes("*");
  return (read.data.access ?? []).some(({ type, actions }) => type.startsWith("repository") && pulls(actions));
}

function tryJson(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}
