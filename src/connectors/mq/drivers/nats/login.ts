/** How a connection begins: TLS and credentials, as the client library takes them. */
import { isIP } from "node:net";
import {
  type Authenticator,
  type ConnectionOptions,
  credsAuthenticator,
  nkeyAuthenticator,
  tokenAuthenticator,
  usernamePasswordAuthenticator,
} from "@nats-io/transport-node";
import { messageOf, quoted } from "../../../../base/shown.ts";
import { readTextFile } from "../../../../base/text-file.ts";
import { readTls, type TlsMaterial, tlsOptions } from "../../../../contract/tls-files.ts";
import { identityCheck } from "./identity.ts";
import type { Login, NatsSettings } from "./settings.ts";

/** Throws the error of a connector. */
export type Fail = (message: string) => never;

/** What connections are made with. */
export interface Entry {
  readonly options: Pick<ConnectionOptions, "tls" | "authenticator">;
  /** Whether this client shows a certificate. */
  readonly certified: boolean;
  /** Reads the file of credentials again, which others may renew. */
  refresh(): Promise<void>;
}

/** Reads the files. `fail` throws the error for one that is missing or wrong. */
export async function readEntry(
  { servers, tls, login }: NatsSettings,
  fail: Fail,
): Promise<Entry> {
  const material = tls && await readTls(tls, fail);
  const { authenticator, refresh } = await readLogin(login, fail);
  return {
    options: {
      ...(material !== undefined && { tls: tlsOf(material, servers) }),
      ...(authenticator !== undefined && { authenticator }),
    },
    certified: material?.cert !== undefined,
    refresh,
  };
}

/** What the library hands to `node:tls`, which takes more than its types say. */
function tlsOf(
  material: TlsMaterial,
  servers: readonly string[],
): ConnectionOptions["tls"] & object {
  const { serverName } = material;
  // An address is no name that a client may ask for.
  const { servername, ...options } = tlsOptions(material);
  return {
    ...options,
    ...(servername !== undefined && isIP(servername) === 0 && { servername }),
    checkServerIdentity: identityCheck(serverName, servers),
  } as ConnectionOptions["tls"] & object;
}

interface Shown extends Pick<Entry, "refresh"> {
  readonly authenticator?: Authenticator;
}

const NOTHING: Shown = { refresh: () => Promise.resolve() };

async function readLogin(login: Login | undefined, fail: Fail): Promise<Shown> {
  switch (login?.kind) {
    case undefined:
      return NOTHING;
    case "user": {
      const { user, password } = login;
      return { ...NOTHING, authenticator: usernamePasswordAuthenticator(user, password) };
    }
    case "token":
      return { ...NOTHING, authenticator: tokenAuthenticator(login.token) };
    case "nkey": {
      const authenticator = nkeyAuthenticator(new TextEncoder().encode(login.seed));
      tryOut(authenticator, () => fail("cannot use its nkey: it is not the seed of a user"));
      return { ...NOTHING, authenticator };
    }
    case "creds":
      return await readCreds(login.path, fail);
  }
}

async function readCreds(path: string, fail: Fail): Promise<Shown> {
  const what = `the file ${quoted(path)} of creds`;
  const read = async () => new TextEncoder().encode(await readTextFile(path));
  let bytes = await read().catch((cause) => fail(`cannot read ${what}: ${messageOf(cause)}`));
  const authenticator = credsAuthenticator(() => bytes);
  tryOut(authenticator, () => fail(`cannot use ${what}: it has no claims and seed of a user`));
  return {
    authenticator,
    async refresh() {
      const found = await read();
      // A file that is being written is not complete.
      tryOut(credsAuthenticator(found), () => fail(`cannot use ${what}`));
      bytes = found;
    },
  };
}

/** What throws when a server asks would end the connection. */
function tryOut(authenticator: Authenticator, wrong: () => never): void {
  try {
    authenticator("nonce");
  } catch {
    // Its message may quote what must stay secret.
    wrong();
  }
}
