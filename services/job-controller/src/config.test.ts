import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@drydock/shared/config.ts";
import { readControllerConfig } from "./config.ts";

function faultOf(url: string, variable = "DRYDOCK_REDIS_URL"): string {
  try {
    readControllerConfig({ [variable]: url });
    return "";
  } catch (error) {
    if (!(error instanceof ConfigError)) throw error;
    return error.message;
  }
}

test("Redis' URL names its database by a number, or not at all", () => {
  for (const url of ["redis://h", "redis://h:6379/", "redis://u:p@h:6379/15", "rediss://h/0?family=6"])
    assert.equal(faultOf(url), "", url);
  for (const url of [
    "redis://h/abc",
    "redis://h/-1",
    "redis://h/0/1",
    "redis://h/1.5",
    "redis://h?db=abc",
    "redis://h/%30",
  ])
    assert.match(faultOf(url), /DRYDOCK_REDIS_URL.*number of the database: redis:\/\/HOST:PORT\/0/, url);
  assert.match(faultOf("http://h/0"), /DRYDOCK_REDIS_URL.*redis:\/\//);
});

test("reports are kept in Redis, or in the PostgreSQL of a URL with user and database", () => {
  assert.equal(readControllerConfig({}).postgresUrl, undefined);
  assert.equal(readControllerConfig({ DRYDOCK_REPORT_STORE: "redis" }).postgresUrl, undefined);
  const authority = import.meta.filename;
  for (const url of [
    "postgres://u@h/d",
    "postgresql://u:p%25@h:5433/d?sslmode=disable",
    "postgres://u:p@[::1]:5432/d?sslmode=require",
    "postgres://u:p@h/d?sslmode=verify-full",
    `postgres://u:p@h/d?sslmode=verify-full&sslrootcert=${authority}`,
  ]) {
    assert.equal(readControllerConfig({ DRYDOCK_REPORT_STORE: url }).postgresUrl, url);
  }
});

test("a URL of PostgreSQL that cannot be meant is refused with the rule, without its password", () => {
  const faults = (url: string) => faultOf(url, "DRYDOCK_REPORT_STORE");
  for (const url of [
    ...["Redis", "mysql://u:secret@h/d", "postgres://h/d", "postgres://u:secret@h", "postgres://u:secret@h/"],
    ...["postgres://u:secret@h/d/e", "postgres://u:secret%@h/d", "postgres://u:secret@h/d?host=/tmp", "postgres:///d"],
  ]) {
    assert.match(
      faults(url),
      /DRYDOCK_REPORT_STORE.*must be redis or postgres:\/\/USER:PASSWORD@HOST:PORT\/DATABASE/,
      url,
    );
    assert.doesNotMatch(faults(url), /secret/);
  }
  assert.match(faults("postgres://u@h/d?sslmode=prefer"), /disable, require, verify-full/);
  for (const parameters of ["sslrootcert=/nowhere&sslmode=verify-full", `sslrootcert=${import.meta.filename}`]) {
    assert.match(faults(`postgres://u@h/d?${parameters}`), /file as sslrootcert, and sslmode=verify-full/, parameters);
  }
});
