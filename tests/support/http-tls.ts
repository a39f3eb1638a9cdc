/** An API over TLS, and the files of its clients. */
import { writeFile } from "node:fs/promises";
import { join } from "node:path";
import type { TlsOptions, TLSSocket } from "node:tls";
import { type Answer, type Api, reply, withApi } from "./http-api.ts";
import { makeAuthority, withTemporaryFolder } from "./certificate.ts";
import { readFile } from "node:fs/promises";

/** What was made once for all tests of a process, as texts. */
interface Material {
  /** Who has signed the others. */
  readonly ca: string;
  readonly server: { readonly cert: string; readonly key: string };
  readonly client: { readonly cert: string; readonly key: string };
}

let made: Promise<Material> | undefined;

function material(): Promise<Material> {
  return made ??= withTemporaryFolder(async (folder) => {
    const authority = await makeAuthority(folder);
    const issue = async (name: string) => {
      const { pem, key } = await authority.issue(name);
      return { cert: pem, key: await readFile(key, "utf8") };
    };
    return { ca: authority.pem, server: await issue("server"), client: await issue("client") };
  });
}

/** Answers with the name that the client asked for, and whether it showed a certificate. */
export const identity: Answer = ({ socket }) => {
  const { servername, authorized } = socket as TLSSocket;
  return reply(200, { name: servername || null, authorized });
};

/**
 * Serves over TLS. Its folder has `ca.pem`, and the `client.pem`
 * and `client.key` of a client whom it knows. It asks clients for a certificate and takes any.
 */
export async function withTlsApi<T>(
  answer: Answer,
  look: (api: Api, folder: string) => Promise<T>,
  options: TlsOptions = {},
): Promise<T> {
  const { ca, server, client } = await material();
  return await withTemporaryFolder(async (folder) => {
    const files = { "ca.pem": ca, "client.pem": client.cert, "client.key": client.key };
    await Promise.all(
      Object.entries(files).map(([name, text]) => writeFile(join(folder, name), text)),
    );
    const asks = { ca, requestCert: true, rejectUnauthorized: false };
    return await withApi(answer, (api) => look(api, folder), { ...server, ...asks, ...options });
  });
}
