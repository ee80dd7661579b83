import { readFileSync } from "node:fs";
import { createRequire } from "node:module";
import { dirname, join } from "node:path";
import { Ajv } from "ajv";
import ajvDraft04 from "ajv-draft-04";
import addFormats from "ajv-formats";

const { resolve } = createRequire(import.meta.url);

/** What does not fit the schema; empty when all does. */
export type Check = (document: unknown) => string[];

/** Holds documents to SARIF 2.1.0. */
export function createSarifCheck(): Check {
  const folder = dirname(resolve("@microsoft/jest-sarif"));
  const schema = readSchema(join(packageFolder(folder), "lib", "schemas", "sarif-2.1.0-rtm.5.json"));
  const ajv = new ajvDraft04.default({ strict: false, allErrors: true, unicodeRegExp: false });
  addFormats.default(ajv as unknown as Ajv);
  return toCheck(ajv as unknown as Ajv, schema);
}

/** Holds documents to CycloneDX 1.6. */
export function createCycloneDxCheck(): Check {
  const folder = join(packageFolder(dirname(resolve("@cyclonedx/cyclonedx-library"))), "res", "schema");
  const read = (name: string) => readSchema(join(folder, `${name}.SNAPSHOT.schema.json`));
  const ajv = new Ajv({ strict: false, allErrors: true });
  addFormats.default(ajv);
  ajv.addFormat("iri-reference", (text) => !/[\s<>"{}|\\^`]/.test(text));
  ajv.addFormat("idn-email", (text) => text.includes("@"));
  for (const name of ["spdx", "jsf-0.82"])
    ajv.addSchema(read(name), `http://cyclonedx.org/schema/${name}.SNAPSHOT.schema.json`);
  return toCheck(ajv, read("bom-1.6"));
}

function toCheck(ajv: Ajv, schema: object): Check {
  const validate = ajv.compile(schema);
  return (document) => {
    validate(document);
    return (validate.errors ?? []).map(({ instancePath, message }) => `${instancePath} ${message}`);
  };
}

function readSchema(file: string): object {
  return JSON.parse(readFileSync(file, "utf8"));
}

/** The folder of the package that the folder belongs to. */
function packageFolder(folder: string): string {
  return folder.replace(/(\/node_modules\/@[^/]+\/[^/]+).*$/, "$1");
}
