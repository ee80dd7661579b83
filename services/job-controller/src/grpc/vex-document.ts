import { fieldsInvalid } from "@drydock/shared/errors.ts";
import { oneLine } from "@drydock/shared/plain-text.ts";
import { z } from "zod";
import type { VexComponent, VexStatement } from "../domain/vex.ts";

const maxBytes = 1024 * 1024;
const maxStatements = 5_000;
/** How many products and subcomponents the statements may name together, each counted for every name of its vulnerability. */
const maxClaims = 10_000;
const tooMany = `must name at most ${maxClaims} products and subcomponents, times the names of vulnerabilities; split it`;
const maxAliases = 20;
const maxAuthor = 256;
const cve = /^CVE-/;

const text = z.string().default("");
const base = z.object({
  "@id": text,
  identifiers: z.record(z.string(), z.string()).default({}),
  hashes: z.record(z.string(), z.string()).default({}),
});
const component = z.union([z.string(), base]);
const product = z.union([
  z.string(),
  base.extend({ subcomponents: z.array(component).max(maxClaims, tooMany).default([]) }),
]);
const time = z.iso.datetime({ offset: true });
const statement = z.object({
  vulnerability: z.union([
    z.string(),
    z.object({ name: text, "@id": text, aliases: z.array(z.string()).max(maxAliases).default([]) }),
  ]),
  products: z.array(product).max(maxClaims, tooMany).default([]),
  /** Of the first version of the specification, for all products of the statement. */
  subcomponents: z.array(component).max(maxClaims, tooMany).default([]),
  status: z.string(),
  justification: text,
  impact_statement: text,
  timestamp: time.optional(),
  last_updated: time.optional(),
});
const document = z.object({
  "@context": z.string().startsWith("https://openvex.dev/ns"),
  author: text,
  timestamp: time.optional(),
  // each is checked by itself, so that a document of faults ends at the first
  statements: z.array(z.unknown()).max(maxStatements),
});

/** An OpenVEX document. */
export interface VexDocument {
  /** Empty if it names none. */
  author: string;
  statements: VexStatement[];
}

/** Checks and reads an OpenVEX document. @throws ReasonedError FIELD_INVALID */
export function readVexDocument(json: string): VexDocument {
  if (Buffer.byteLength(json) > maxBytes) throw refusal(`must not be larger than ${maxBytes} bytes`);
  const { author, timestamp, statements: list } = checked(document, parsed(json), []);
  const statements = list.map((each, at) => checked(statement, each, ["statements", at]));
  const count = statements.reduce((sum, each) => sum + countOf(each), 0);
  if (count > maxClaims) throw refusal(tooMany);
  return {
    author: oneLine(author).trim().slice(0, maxAuthor),
    statements: statements.map((each) => toStatement(each, timestamp)),
  };
}

function checked<T>(schema: z.ZodType<T>, value: unknown, place: PropertyKey[]): T {
  const read = schema.safeParse(value);
  if (read.success) return read.data;
  const [{ path, message } = { path: [], message: "" }] = read.error.issues;
  const where = [...place, ...path].join(".") || "it";
  throw refusal(`must be an OpenVEX document (https://openvex.dev/ns/v0.2.0): ${where}: ${message}`);
}

function parsed(json: string): unknown {
  try {
    return JSON.parse(json);
  } catch {
    throw refusal("must be JSON");
  }
}

function countOf({ vulnerability, products, subcomponents }: z.output<typeof statement>): number {
  const own = products.reduce((sum, each) => sum + (typeof each === "string" ? 0 : each.subcomponents.length), 0);
  return namesOf(vulnerability).length * (products.length * (1 + subcomponents.length) + own);
}

function toStatement(read: z.output<typeof statement>, written: string | undefined): VexStatement {
  const { vulnerability, products, subcomponents, status, timestamp, last_updated: updated } = read;
  const shared = subcomponents.map((each) => toComponent(each));
  return {
    vulnerabilities: namesOf(vulnerability),
    products: products.map((each) => {
      const own = typeof each === "string" ? [] : each.subcomponents.map((part) => toComponent(part));
      return toComponent(each, [...own, ...shared]);
    }),
    status: oneLine(status),
    justification: oneLine(read.justification).trim(),
    impact: oneLine(read.impact_statement).trim(),
    timestamp: Date.parse(updated ?? timestamp ?? written ?? "1970-01-01T00:00:00Z"),
  };
}

/** Its CVEs, by which scanners name vulnerabilities; without any, its name. */
function namesOf(vulnerability: z.output<typeof statement>["vulnerability"]): string[] {
  if (typeof vulnerability === "string") return [vulnerability].filter(Boolean);
  const { name, "@id": id, aliases } = vulnerability;
  const first = name || (id.split("/").at(-1) ?? "");
  const cves = [first, ...aliases].filter((each) => cve.test(each));
  return cves.length > 0 ? [...new Set(cves)] : [first].filter(Boolean);
}

function toComponent(read: z.output<typeof component>, subcomponents: VexComponent[] = []): VexComponent {
  if (typeof read === "string") return { identifiers: [read], subcomponents };
  const { "@id": id, identifiers, hashes } = read;
  const digests = Object.entries(hashes).map(([name, value]) => `${name.toLowerCase().replace("-", "")}:${value}`);
  return { identifiers: [id, ...Object.values(identifiers), ...digests].filter(Boolean), subcomponents };
}

function refusal(description: string): Error {
  return fieldsInvalid([{ field: "document", description }]);
}
