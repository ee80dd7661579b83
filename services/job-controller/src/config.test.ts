import assert from "node:assert/strict";
import { test } from "node:test";
import { ConfigError } from "@drydock/shared/config.ts";
import { readControllerConfig } from "./config.ts";

function faultOf(url: string): string {
  try {
    readControllerConfig({ DRYDOCK_REDIS_URL: url });
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
