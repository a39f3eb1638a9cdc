/** The certificate of a listener. */
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { readFile } from "node:fs/promises";
import type { HttpService } from "../contract/connector.ts";
import { ConnectorError } from "../base/errors.ts";

const CODE = "invalid-certificate";

/** A certificate with its key, as PEM. */
export interface TlsIdentity {
  /** The certificate of the server, then the intermediate ones. */
  readonly cert: string;
  readonly key: string;
}

/**
 * Reads the certificate of the listener that these connectors share; undefined for no TLS. A connector
 * without `tls` takes that of the others.
 *
 * @throws {ConnectorError} Their `tls` differs, or the files cannot be used.
 */
export async function readTls(
  members: readonly (readonly [name: string, service: HttpService])[],
): Promise<TlsIdentity | undefined> {
  const [first, ...others] = members.filter(([, { listen }]) => listen.tls !== undefined);
  if (first === undefined) return undefined;
  const [name, { listen: { tls } }] = first;
  for (const [other, { listen }] of others) {
    if (tls?.cert === listen.tls?.cert && tls?.key === listen.tls?.key) continue;
    const message = `tls: shares its port with ${other}, whose tls differs; make them the same`;
    throw new ConnectorError(name, message, { code: CODE });
  }
  if (tls === undefined || tls === null) return undefined;
  // One after another, so that the error names the same file each time when both are missing.
  const cert = await readPem(name, "cert", tls.cert);
  const key = await readPem(name, "key", tls.key);
  checkPair(name, { cert, key }, tls);
  return { cert, key };
}

async function readPem(name: string, part: "cert" | "key", file: string): Promise<string> {
  return await readFile(file, "utf8").catch((cause) => {
    const why = cause.code === "ENOENT" ? "there is no such file" : cause.message;
    throw new ConnectorError(name, `tls ${part}: ${file} cannot be read: ${why}`, {
      code: CODE,
      cause,
    });
  });
}

function checkPair(
  name: string,
  pem: TlsIdentity,
  files: { readonly cert: string; readonly key: string },
): void {
  const certificate = parse(
    () => readCertificate(pem.cert),
    name,
    `tls cert: ${files.cert} is not a PEM certificate`,
  );
  const key = parse(
    () => readKey(pem.key),
    name,
    `tls key: ${files.key} is not a PEM private key without a passphrase`,
  );
  if (certificate.checkPrivateKey(key)) return;
  const message = `tls key: ${files.key} does not match the certificate in ${files.cert}`;
  throw new ConnectorError(name, message, { code: CODE });
}

function readCertificate(pem: string): X509Certificate {
  // X509Certificate also accepts DER, which listeners do not.
  if (!pem.includes("-----BEGIN ")) throw new TypeError("the file has no PEM block");
  return new X509Certificate(pem);
}

function readKey(pem: string): KeyObject {
  return createPrivateKey(pem);
}

function parse<T>(read: () => T, name: string, message: string): T {
  try {
    return read();
  } catch (cause) {
    throw new ConnectorError(name, message, { code: CODE, cause });
  }
}
