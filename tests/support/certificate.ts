/** Certificates that a test makes for itself, and clients that trust them. */
import { execFile } from "node:child_process";
import { mkdtemp, readFile, rm, writeFile } from "node:fs/promises";
import { get } from "node:https";
import { type AddressInfo, createServer, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { connect } from "node:tls";
import { promisify } from "node:util";

/** It signs itself, for localhost and 127.0.0.1. */
const REQUEST = `
[req]
distinguished_name = name
x509_extensions = extensions
prompt = no
[name]
CN = localhost
[extensions]
basicConstraints = critical,CA:FALSE
subjectAltName = DNS:localhost,IP:127.0.0.1
`;

/** A certificate in files of its own. */
export interface Certificate {
  /** The paths of both files. */
  readonly cert: string;
  readonly key: string;
  /** What a client must trust. */
  readonly pem: string;
}

/** Runs the program openssl; gives both outputs. Does not reject where it fails. */
export async function openssl(args: readonly string[], folder: string): Promise<string> {
  const running = promisify(execFile)("openssl", args, { cwd: folder });
  // It waits for what it should send.
  running.child.stdin?.end();
  const { stdout, stderr } = await running.catch((error) => error);
  return `${stdout}${stderr}`;
}

/** Makes a certificate called `NAME.pem` and its key in a folder. */
export async function makeCertificate(folder: string, name: string): Promise<Certificate> {
  const [config, cert, key] = ["cnf", "pem", "key"].map((kind) => join(folder, `${name}.${kind}`));
  await writeFile(config, REQUEST);
  const files = ["-config", config, "-keyout", key, "-out", cert];
  const output = await openssl(
    ["req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "2", ...files],
    folder,
  );
  const pem = await readFile(cert, "utf8").catch(() => {
    throw new Error(`openssl has made no certificate:\n${output}`);
  });
  return { cert, key, pem };
}

/** Somebody who signs certificates, for servers that check those of their clients. */
export interface Authority {
  /** The path of its own certificate. */
  readonly ca: string;
  /** What one must trust who trusts it. */
  readonly pem: string;
  /** Makes a certificate called `NAME.pem` for localhost and 127.0.0.1, and its key. */
  issue(name: string): Promise<Certificate>;
}

/** Makes an authority in a folder. */
export async function makeAuthority(folder: string): Promise<Authority> {
  const [ca, key] = ["ca.pem", "ca.key"].map((file) => join(folder, file));
  const extension = "basicConstraints=critical,CA:TRUE";
  await request(folder, "authority", ["-addext", extension, "-keyout", key, "-out", ca]);
  const issue = async (name: string): Promise<Certificate> => {
    const files = [`${name}.pem`, `${name}.key`].map((file) => join(folder, file));
    const names = "subjectAltName=DNS:localhost,IP:127.0.0.1";
    const signed = ["-CA", ca, "-CAkey", key, "-addext", "basicConstraints=CA:FALSE"];
    await request(folder, name, [
      ...signed,
      "-addext",
      names,
      "-keyout",
      files[1],
      "-out",
      files[0],
    ]);
    return { cert: files[0], key: files[1], pem: await readFile(files[0], "utf8") };
  };
  return { ca, pem: await readFile(ca, "utf8"), issue };
}

/** Elliptic keys are made at once. */
async function request(folder: string, name: string, args: readonly string[]): Promise<void> {
  const curve = ["-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes"];
  const all = ["req", "-x509", ...curve, "-days", "2", "-subj", `/CN=${name}`, ...args];
  const output = await openssl(all, folder);
  const made = await readFile(args[args.length - 1], "utf8").catch(() => "");
  if (made === "") throw new Error(`openssl has made no certificate:\n${output}`);
}

/** Calls `use` with an empty folder, which is removed afterwards. */
export async function withTemporaryFolder<T>(use: (folder: string) => Promise<T>): Promise<T> {
  const folder = await mkdtemp(join(tmpdir(), "weir-tls-"));
  try {
    return await use(folder);
  } finally {
    await rm(folder, { recursive: true });
  }
}

/** A port where clients that know no TLS reach one that speaks it. */
export interface Tunnel {
  readonly port: number;
  close(): Promise<void>;
}

/** Opens a tunnel to a port of this machine, whose certificate must be this one. */
export async function openTunnel(target: number, { pem }: Certificate): Promise<Tunnel> {
  const sockets = new Set<Socket>();
  const server = createServer({ allowHalfOpen: true }, (plain) => {
    const secure = connect({
      port: target,
      host: "127.0.0.1",
      servername: "localhost",
      ca: pem,
    });
    for (const [one, other] of [[plain, secure], [secure, plain]]) {
      sockets.add(one);
      one.on("error", () => {});
      one.on("close", () => {
        sockets.delete(one);
        other.destroySoon();
      });
    }
    plain.pipe(secure).pipe(plain);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return {
    port: (server.address() as AddressInfo).port,
    async close() {
      for (const socket of sockets) socket.destroy();
      await new Promise((resolve) => server.close(resolve));
    },
  };
}

/** The answer to a GET over TLS. */
export interface SecureAnswer {
  readonly status: number | undefined;
  readonly body: string;
}

/** Asks a port of this machine, whose certificate must be this one. */
export function secureGet(port: number, path: string, { pem }: Certificate): Promise<SecureAnswer> {
  return new Promise((resolve, reject) => {
    const options = { port, path, host: "localhost", family: 4, ca: pem, agent: false };
    get(options, async (response) => {
      let body = "";
      for await (const chunk of response) body += chunk;
      resolve({ status: response.statusCode, body });
    }).on("error", reject);
  });
}
