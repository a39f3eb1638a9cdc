/** What a `tls` block says, as the options of connections. */
import { rootCertificates } from "node:tls";
import { readTls, type TlsOptions, tlsOptions } from "../../../contract/tls-files.ts";
import type { ClientTls } from "../../../contract/tls-field.ts";

/** Reads the files; `fail` throws the error for one that is missing or wrong. */
export async function apiOptions(
  tls: ClientTls,
  fail: (message: string) => never,
): Promise<TlsOptions> {
  return tlsOptions(await readTls(tls, fail));
}

/**
 * The same for another host that issues tokens: the authorities of the API are known there, beside
 * those of the runtime; the client's certificate and the name are not for it.
 */
export function tokenOptions({ ca, rejectUnauthorized, minVersion }: TlsOptions): TlsOptions {
  const others = { rejectUnauthorized, minVersion };
  return ca === undefined ? others : { ...others, ca: [...rootCertificates, ...ca] };
}
