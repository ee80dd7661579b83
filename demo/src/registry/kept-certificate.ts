import { createPrivateKey, X509Certificate } from "node:crypto";
import { existsSync, readFileSync, renameSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { createSelfSignedCertificate, type SelfSignedCertificate } from "./self-signed-certificate.ts";

const validDays = 3_650;

/**
 * The key and certificate that the folder holds; made and kept there the first time. Tokens that were given before a
 * restart are still good after it, and the registry, which reads the certificate once, need not be restarted.
 */
export function keptCertificate(folder: string, commonName: string): SelfSignedCertificate {
  const keyPath = join(folder, "token-key.pem");
  const certificatePath = join(folder, "token-certificate.pem");
  if (existsSync(certificatePath)) {
    const pem = readFileSync(certificatePath, "utf8");
    const x5c = new X509Certificate(pem).raw.toString("base64");
    return { privateKey: createPrivateKey(readFileSync(keyPath)), pem, x5c };
  }
  const made = createSelfSignedCertificate(commonName, validDays);
  writeFileSync(keyPath, made.privateKey.export({ type: "pkcs8", format: "pem" }), { mode: 0o600 });
  // The certificate comes last and whole: where it is, the key is.
  writeFileSync(`${certificatePath}.new`, made.pem);
  renameSync(`${certificatePath}.new`, certificatePath);
  return made;
}
