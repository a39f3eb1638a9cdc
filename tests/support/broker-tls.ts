/** TLS of a message broker of a test's own, whose certificates the test makes. */
import { type Authority, type Certificate, makeAuthority } from "./certificate.ts";

/** Whether a server speaks TLS, and whether its clients must show a certificate. */
export type Tls = "server" | "clients";

/** The certificates of one server, all in its folder. */
export interface TlsFiles {
  readonly demanded: boolean;
  /** Who has signed the others: what a client must trust. */
  readonly authority: Authority;
  /** What the server shows, for localhost and 127.0.0.1. */
  readonly server: Certificate;
  /** What a client may show. Its name is `client`. */
  readonly client: Certificate;
}

/** Makes them; undefined without TLS. */
export async function makeTls(
  folder: string,
  tls: Tls | undefined,
): Promise<TlsFiles | undefined> {
  if (tls === undefined) return undefined;
  const authority = await makeAuthority(folder);
  const [server, client] = await Promise.all(
    ["server", "client"].map((name) => authority.issue(name)),
  );
  return { demanded: tls === "clients", authority, server, client };
}
