import { createPrivateKey, X509Certificate } from "node:crypto";
import { readFileSync } from "node:fs";
import { z } from "zod";

const certificateBlock = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** The path of a file with one certificate or more in PEM, as its text. */
export const certificateFile = fileOf((text) => {
  const blocks = text.match(certificateBlock) ?? [];
  if (blocks.length === 0) return 'must name a file with "-----BEGIN CERTIFICATE-----" in it (PEM)';
  return blocks.every(isCertificate) ? undefined : "must name a file of certificates; one of them can't be read";
});

/** The path of a file with a private key in PEM and without a passphrase, as its text. */
export const keyFile = fileOf((text) => {
  if (isKey(text)) return undefined;
  return /ENCRYPTED/.test(text)
    ? "must name a key without a passphrase"
    : "must name a file of a private key (PEM), which can't be read there";
});

/** Whether a key is that of a certificate, which is the first one of its file. */
export function isKeyOf(key: string, certificates: string): boolean {
  return new X509Certificate(certificates).checkPrivateKey(createPrivateKey(key));
}

/** Reads a file, whose fault is undefined when it has none. */
function fileOf(faultOf: (text: string) => string | undefined) {
  return z.string().transform((path, context) => {
    try {
      const text = readFileSync(path, "utf8");
      const message = faultOf(text);
      if (message !== undefined) context.addIssue({ code: "custom", message });
      return text;
    } catch (error) {
      const { code = "unknown error" } = error as NodeJS.ErrnoException;
      context.addIssue({ code: "custom", message: `can't read that file (${code})` });
      return z.NEVER;
    }
  });
}

function isCertificate(block: string): boolean {
  try {
    new X509Certificate(block);
    return true;
  } catch {
    return false;
  }
}

function isKey(text: string): boolean {
  try {
    createPrivateKey(text);
    return true;
  } catch {
    return false;
  }
}
