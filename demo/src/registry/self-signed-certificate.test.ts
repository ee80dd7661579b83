import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { test } from "node:test";
import { createSelfSignedCertificate } from "./self-signed-certificate.ts";

test("the certificate is a valid one that signed itself", () => {
  const { pem, x5c, privateKey } = createSelfSignedCertificate("a token server");
  const certificate = new X509Certificate(pem);
  assert.equal(certificate.subject, "CN=a token server");
  assert.equal(certificate.issuer, certificate.subject);
  assert.ok(certificate.verify(certificate.publicKey));
  assert.ok(certificate.ca);
  assert.ok(certificate.checkPrivateKey(privateKey));
  assert.equal(certificate.raw.toString("base64"), x5c);
  assert.ok(certificate.validFromDate.getTime() < Date.now() && Date.now() < certificate.validToDate.getTime());
});
