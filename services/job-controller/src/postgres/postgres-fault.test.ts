import assert from "node:assert/strict";
import { describe, test } from "node:test";
import { ReasonedError } from "@drydock/shared/errors.ts";
import { describeFault, explain, toReasonedError } from "./postgres-fault.ts";

function errorOf(code: string, message: string): Error {
  return Object.assign(new Error(message), { code });
}

describe("faults of PostgreSQL", () => {
  const cases: [string, Error, RegExp][] = [
    ["a password", errorOf("28P01", 'password authentication failed for user "dock"'), /rejects the user or password/],
    ["no password", new Error("SASL: SCRAM-SERVER-FIRST-MESSAGE: client password must be a string"), /requires a pass/],
    ["no database", errorOf("3D000", 'database "x" does not exist'), /no such database/],
    ["no right", errorOf("42501", "permission denied for database x"), /GRANT CREATE/],
    ["a standby", errorOf("25006", "cannot execute INSERT in a read-only transaction"), /is a standby/],
    ["too many clients", errorOf("53300", "sorry, too many clients already"), /max_connections/],
    ["a full disk", errorOf("53100", "could not extend file"), /room on its disk/],
    ["a start", errorOf("57P03", "the database system is starting up"), /starting or stopping/],
    ["an end", errorOf("57P01", "terminating connection due to administrator command"), /closed the connection/],
    ["a slow statement", errorOf("57014", "canceling statement due to statement timeout"), /takes too long/],
    ["a slow answer", new Error("Query read timeout"), /takes too long/],
    ["no free connection", new Error("timeout exceeded when trying to connect"), /takes too long/],
    ["a refused connection", errorOf("ECONNREFUSED", "connect ECONNREFUSED 127.0.0.1:5432"), /Nothing listens there/],
    ["a broken connection", new Error("Connection terminated unexpectedly"), /closed the connection/],
    ["a certificate", errorOf("SELF_SIGNED_CERT_IN_CHAIN", "self-signed certificate in chain"), /sslrootcert/],
  ];
  for (const [what, error, meaning] of cases) {
    test(`${what} is told with what it means and the remedy, in its own words`, () => {
      const refused = toReasonedError(error);
      assert.ok(refused instanceof ReasonedError);
      assert.equal(refused.reason, "REPORT_STORE_UNAVAILABLE");
      assert.match(refused.message, meaning);
      assert.ok(refused.message.includes(error.message));
    });
  }

  test("the password is in no text", () => {
    const fault = explain(errorOf("28P01", "swordfish is wrong, swordfish"), "swordfish");
    assert.match(fault === undefined ? "" : describeFault(fault), /\*\*\* is wrong, \*\*\*/);
  });

  test("of several addresses the first that failed is told", () => {
    const refused = errorOf("ECONNREFUSED", "connect ECONNREFUSED ::1:5432");
    assert.equal(explain(new AggregateError([refused], ""))?.words, refused.message);
  });

  test("a fault of Drydock's own is none of PostgreSQL's", () => {
    for (const error of [errorOf("42601", "syntax error"), errorOf("22003", "out of range"), new Error("no")]) {
      assert.equal(toReasonedError(error), error);
    }
  });
});
