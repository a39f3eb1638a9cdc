/**
 * The certificates and the key for TLS to a server, read from their files; for every connector that is
 * a client. It needs Node's modules: only what is loaded with `import()` may import it.
 */
import { Buffer } from "node:buffer";
import { createPrivateKey, type KeyObject, X509Certificate } from "node:crypto";
import { messageOf, shownWords } from "../base/shown.ts";
import { readTextFile } from "../base/text-file.ts";
import type { ClientTls } from "./tls-field.ts";

/** What a TLS connection is made with: texts, not paths. */
export interface TlsMaterial {
  /** The authorities that may have signed the server's certificate; undefined for the runtime's. */
  readonly ca: readonly string[] | undefined;
  readonly cert: string | undefined;
  readonly key: string | undefined;
  /** The name in the server's certificate; undefined for the host. */
  readonly serverName: string | undefined;
}

const BEGIN = "-----BEGIN CERTIFICATE-----";
const END = "-----END CERTIFICATE-----";

/** Reads the files. `fail` throws the error for a file that is missing or wrong; it names the file. */
export async function readTls(
  { ca, cert, key, server_name: serverName }: ClientTls,
  fail: (message: string) => never,
): Promise<TlsMaterial> {
  if ((cert === undefined) !== (key === undefined)) {
    const [has, lacks] = cert === undefined ? ["key", "cert"] : ["cert", "key"];
    fail(`has ${has} without ${lacks} in its tls; a client's certificate needs both`);
  }
  const read = async (name: string, path: string | undefined) =>
    path === undefined
      ? undefined
      : await readTextFile(path).catch((cause) =>
        fail(`cannot read the file "${path}" of tls.${name}: ${messageOf(cause)}`)
      );
  const [authorities, certificate, privateKey] = await Promise.all([
    read("ca", ca),
    read("cert", cert),
    read("key", key),
  ]);
  const checked = (name: string, path: string | undefined, check: () => void) => {
    try {
      check();
    } catch (cause) {
      const reason = shownWords(messageOf(cause));
      fail(`cannot use the file "${path}" of tls.${name}: ${reason}`);
    }
  };
  const all = certificatesOf(authorities ?? "");
  if (authorities !== undefined) checked("ca", ca, () => checkCertificates(all));
  if (certificate !== undefined) {
    checked("cert", cert, () => checkCertificates(certificatesOf(certificate)));
  }
  if (privateKey !== undefined) {
    checked("key", key, () => checkKey(privateKey, certificatesOf(certificate ?? "")[0]));
  }
  const list = authorities === undefined ? undefined : all;
  return { ca: list, cert: certificate, key: privateKey, serverName };
}

/** The certificates in a file, which may have comments between them. */
function certificatesOf(text: string): readonly string[] {
  return text.split(BEGIN).slice(1).map((part) => `${BEGIN}${part.split(END)[0]}${END}\n`);
}

function checkCertificates(texts: readonly string[]): void {
  if (texts.length === 0) throw new Error("it has no certificate in PEM form");
  for (const text of texts) {
    try {
      new X509Certificate(Buffer.from(text));
    } catch (cause) {
      throw new Error("it has a certificate that cannot be read", { cause });
    }
  }
}

/** The certificate of the key is the first one of its file; undefined where that has none. */
function checkKey(text: string, certificate: string | undefined): void {
  if (!/-----BEGIN [A-Z ]*PRIVATE KEY-----/.test(text)) {
    throw new Error("it has no private key in PEM form");
  }
  if (/ENCRYPTED/.test(text)) {
    throw new Error("its key is encrypted; openssl pkey -in OLD -out NEW decrypts it");
  }
  let key: KeyObject;
  try {
    key = createPrivateKey(text);
  } catch (cause) {
    throw new Error("it has a key that cannot be read", { cause });
  }
  if (certificate === undefined) return;
  if (!new X509Certificate(Buffer.from(certificate)).checkPrivateKey(key)) {
    throw new Error("it is not the key of the certificate in tls.cert");
  }
}

/** What `node:tls` takes; a library that calls it takes the same. */
export interface TlsOptions {
  readonly ca?: string[];
  readonly cert?: string;
  readonly key?: string;
  readonly servername?: string;
  readonly rejectUnauthorized: true;
  readonly minVersion: "TLSv1.2";
}

/** The options of a connection. What is missing is the runtime's own, and the host's name. */
export function tlsOptions({ ca, cert, key, serverName }: TlsMaterial): TlsOptions {
  return {
    ...(ca !== undefined && { ca: [...ca] }),
    ...(cert !== undefined && { cert }),
    ...(key !== undefined && { key }),
    ...(serverName !== undefined && { servername: serverName }),
    rejectUnauthorized: true,
    minVersion: "TLSv1.2",
  };
}

/** The codes of the system where a certificate is not accepted, or what runtimes say instead. */
const CERTIFICATE =
  /certificate|UNABLE_TO_(?:VERIFY|GET)|ERR_TLS|UnknownIssuer|NotValidForName|self[- ]signed/i;

/** Whether a connection failed over a certificate: this one's or the server's. No other attempt helps. */
export function isWrongCertificate(error: Error & { readonly code?: unknown }): boolean {
  return CERTIFICATE.test(`${error.code ?? ""} ${error.message}`);
}

/** What a sentence about a refused certificate ends with. */
export const CERTIFICATE_HINT =
  "tls.ca names who may have signed it, tls.server_name the name in it";

/** What runtimes say where the other side does not answer in TLS. */
const NO_TLS = /wrong.version.number|InvalidContentType/i;

/**
 * What an error of a TLS connection means, in the same words on every runtime; undefined for an error
 * of another kind. It goes on after a name of the server.
 */
export function tlsReason(error: Error & { readonly code?: unknown }): string | undefined {
  if (NO_TLS.test(error.message)) return "speaks no TLS at this port";
  if (!isWrongCertificate(error)) return undefined;
  // An alert is what the other side has sent.
  if (/alert/i.test(`${error.code ?? ""} ${error.message}`)) {
    return "refuses this client's certificate, or that it has none; tls.cert and tls.key name it";
  }
  const reason = shownWords(error.message);
  return `shows a certificate that is refused: ${reason}; ${CERTIFICATE_HINT}`;
}
