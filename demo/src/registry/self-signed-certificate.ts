import { createSign, generateKeyPairSync, type KeyObject, randomBytes } from "node:crypto";

/** A key and the certificate that it signed itself. */
export interface SelfSignedCertificate {
  privateKey: KeyObject;
  /** The certificate, for a file. */
  pem: string;
  /** The certificate in base64, for the x5c header of a JWT (RFC 7515 4.1.6). */
  x5c: string;
}

/** Makes an RSA key and a certificate for it (RFC 5280). @param days how long it is valid, 1 by default */
export function createSelfSignedCertificate(commonName: string, days = 1): SelfSignedCertificate {
  const { privateKey, publicKey } = generateKeyPairSync("rsa", { modulusLength: 2048 });
  const toBeSigned = describeCertificate(commonName, publicKey, days);
  const signature = createSign("sha256").update(toBeSigned).sign(privateKey);
  const certificate = sequence(toBeSigned, signatureAlgorithm, bitString(signature));
  const x5c = certificate.toString("base64");
  const lines = x5c.match(/.{1,64}/g) ?? [];
  const pem = ["-----BEGIN CERTIFICATE-----", ...lines, "-----END CERTIFICATE-----", ""].join("\n");
  return { privateKey, pem, x5c };
}

const dayMs = 24 * 60 * 60 * 1000;

function describeCertificate(commonName: string, publicKey: KeyObject, days: number): Buffer {
  const name = sequence(element(tags.set, sequence(oid("2.5.4.3"), element(tags.utf8String, Buffer.from(commonName)))));
  const version3 = element(tags.context0, integer(Buffer.of(2)));
  // Positive, and never with a leading zero byte.
  const serial = integer(Buffer.concat([Buffer.of(0x7f), randomBytes(15)]));
  const validity = sequence(utcTime(Date.now() - dayMs), utcTime(Date.now() + days * dayMs));
  const isAuthority = sequence(oid("2.5.29.19"), yes, element(tags.octetString, sequence(yes)));
  const extensions = element(tags.context3, sequence(isAuthority));
  const key = publicKey.export({ type: "spki", format: "der" });
  return sequence(version3, serial, signatureAlgorithm, name, validity, name, key, extensions);
}

const tags = {
  boolean: 0x01,
  integer: 0x02,
  bitString: 0x03,
  octetString: 0x04,
  null: 0x05,
  oid: 0x06,
  utf8String: 0x0c,
  utcTime: 0x17,
  sequence: 0x30,
  set: 0x31,
  context0: 0xa0,
  context3: 0xa3,
} as const;

const yes = element(tags.boolean, Buffer.of(0xff));
const signatureAlgorithm = sequence(oid("1.2.840.113549.1.1.11"), element(tags.null, Buffer.alloc(0)));

/** Tag, length, value (X.690 8.1). */
function element(tag: number, content: Buffer): Buffer {
  return Buffer.concat([Buffer.of(tag), lengthOf(content), content]);
}

function lengthOf(content: Buffer): Buffer {
  if (content.length < 0x80) return Buffer.of(content.length);
  const hex = content.length.toString(16);
  const digits = Buffer.from(hex.padStart(hex.length + (hex.length % 2), "0"), "hex");
  return Buffer.concat([Buffer.of(0x80 | digits.length), digits]);
}

function sequence(...parts: Buffer[]): Buffer {
  return element(tags.sequence, Buffer.concat(parts));
}

function integer(bytes: Buffer): Buffer {
  return element(tags.integer, bytes);
}

/** No bit of the last byte is unused. */
function bitString(bytes: Buffer): Buffer {
  return element(tags.bitString, Buffer.concat([Buffer.of(0), bytes]));
}

/** YYMMDDHHMMSSZ */
function utcTime(atMs: number): Buffer {
  const digits = new Date(atMs).toISOString().replace(/[-:T]/g, "").slice(2, 14);
  return element(tags.utcTime, Buffer.from(`${digits}Z`));
}

/** The first two numbers share a byte, all others are written in groups of seven bits (X.690 8.19). */
function oid(dotted: string): Buffer {
  const [first = 0, second = 0, ...rest] = dotted.split(".").map(Number);
  return element(tags.oid, Buffer.from([first * 40 + second, ...rest.flatMap(sevenBitGroups)]));
}

function sevenBitGroups(value: number): number[] {
  const groups = [value & 0x7f];
  for (let rest = value >> 7; rest > 0; rest >>= 7) groups.unshift(0x80 | (rest & 0x7f));
  return groups;
}
