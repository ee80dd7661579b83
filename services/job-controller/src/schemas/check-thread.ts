import { parentPort } from "node:worker_threads";
import type { CheckRequest, CheckResponse } from "./check-messages.ts";
import { SchemaCompiler } from "./compiler.ts";
import { readSchema, SchemaFault } from "./schema-bounds.ts";

const compiler = new SchemaCompiler();
// the first use compiles the schema of schemas, which takes longer than all that follows
compiler.validate({ type: "object" });

function answer({ jobName, schema, parameters }: CheckRequest): CheckResponse {
  if (parameters !== undefined) return { violations: compiler.compile(schema, jobName)(JSON.parse(parameters)) };
  try {
    const { schema: read, cost } = readSchema(schema);
    compiler.validate(read);
    compiler.compile(schema, jobName);
    return { cost };
  } catch (error) {
    if (error instanceof SchemaFault) return { fault: error.message };
    return { fault: `cannot be compiled: ${error instanceof Error ? error.message.slice(0, 300) : error}` };
  }
}

parentPort?.on("message", (request: CheckRequest) => parentPort?.postMessage(answer(request)));
parentPort?.postMessage("ready");
