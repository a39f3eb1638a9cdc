/** Keys, tokens, handshakes and an issuer for the tests of authentication. */
import { once } from "node:events";
import { createServer, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { exportJWK, exportSPKI, generateKeyPair, type JWTPayload, SignJWT } from "jose";
import {
  type Authenticated,
  type Authenticator,
  createAuthenticator,
} from "../../src/access/auth/authenticator.ts";
import { authField, type AuthOptions } from "../../src/access/auth/fields.ts";
import type { JwksTiming } from "../../src/access/auth/jwks.ts";
import type { HandshakeRefusal, HandshakeRequest } from "../../src/transport/socket.ts";
import { ManualClock } from "./clock.ts";
import { optionsOf } from "./config.ts";
import { type LogRecord, recorder } from "./log.ts";

/** A secret that is long enough. */
export const SECRET = "a secret of more than thirty-two bytes";

/** The time of the tests, in seconds since the epoch: what `iat` and `exp` count. */
export const NOW = Date.UTC(2026, 0, 1) / 1000;

/** What a key pair signs with. */
export type SigningKey = CryptoKey;

/** A key pair as a test uses it. */
export interface Pair {
  readonly privateKey: SigningKey;
  /** The public key in PEM. */
  readonly pem: string;
  /** The public key as a JWK, without `kid` and `alg`. */
  readonly jwk: Record<string, unknown>;
}

/** A new key pair for an algorithm. */
export async function pair(algorithm: string, modulusLength?: number): Promise<Pair> {
  const { publicKey, privateKey } = await generateKeyPair(algorithm, {
    extractable: true,
    ...(modulusLength === undefined ? {} : { modulusLength }),
  });
  const { alg: _, ...jwk } = await exportJWK(publicKey);
  return { privateKey: privateKey as unknown as SigningKey, pem: await exportSPKI(publicKey), jwk };
}

/** A signed token; of the user `ana` and good for an hour unless the claims say otherwise. */
export function sign(
  claims: Readonly<Record<string, unknown>> = {},
  key: SigningKey | string = SECRET,
  header: { readonly alg: string; readonly kid?: string } = { alg: "HS256" },
): Promise<string> {
  const secret = typeof key === "string" ? new TextEncoder().encode(key) : key;
  return new SignJWT({ sub: "ana", exp: NOW + 3600, ...claims } as JWTPayload)
    .setProtectedHeader(header)
    .sign(secret as Parameters<SignJWT["sign"]>[0]);
}

/** A token of these parts, unchecked. */
export function forge(header: unknown, claims: unknown, signature = ""): string {
  const part = (value: unknown) =>
    btoa(JSON.stringify(value)).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
  return `${part(header)}.${part(claims)}.${signature}`;
}

/** What an `auth` block in a configuration becomes. */
export async function authOptions(
  body: string,
  constants: Readonly<Record<string, unknown>> = {},
): Promise<AuthOptions> {
  const lines = Object.entries(constants).map(([name, value]) =>
    `${name} = ${JSON.stringify(value)}\n`
  );
  const others = `constants {\n${lines.join("")}}\n`;
  const { auth } = await optionsOf({ auth: authField }, `auth {\n${body}\n}`, {}, others);
  return auth as AuthOptions;
}

/** An authenticator and what it is observed by. */
export interface Bench {
  readonly authenticator: Authenticator;
  readonly clock: ManualClock;
  readonly records: readonly LogRecord[];
  /** Decides about a handshake. */
  ask(request?: RequestParts): Promise<Authenticated | HandshakeRefusal>;
  /** The user of a token in the query, or the refusal as `401 message`. */
  user(token: string): Promise<string | null>;
}

/** Makes an authenticator from the text of an `auth` block, at `NOW`. */
export async function bench(
  body: string,
  { timing, constants = {} }: {
    readonly timing?: JwksTiming;
    readonly constants?: Readonly<Record<string, unknown>>;
  } = {},
): Promise<Bench> {
  const clock = new ManualClock(NOW * 1000);
  const { logger, records } = recorder();
  const context = { name: "ws", clock, logger, scope: { constants } };
  const authenticator = await createAuthenticator(
    await authOptions(body, constants),
    context,
    timing,
  );
  const ask = async (parts: RequestParts = {}) => {
    const { protocols = [] } = parts;
    const found = authenticator.authenticate(handshake(parts), protocols);
    return typeof found === "function" ? await found() : found;
  };
  return {
    authenticator,
    clock,
    records,
    ask,
    async user(token) {
      const found = await ask({ query: String(new URLSearchParams({ token })) });
      return found.accepted ? found.identity.userId : `${found.status} ${found.message}`;
    },
  };
}

/** What a test says of a handshake. */
export interface RequestParts {
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly protocols?: readonly string[];
}

/** A handshake as an adapter hands it over. */
export function handshake({ query = "", headers = {}, protocols }: RequestParts): HandshakeRequest {
  const offered = protocols && { "sec-websocket-protocol": protocols.join(", ") };
  return {
    method: "GET",
    url: new URL(`http://localhost/ws?${query}`),
    headers: { host: "localhost", ...offered, ...headers },
    remoteAddress: null,
  };
}

/** A server that publishes keys. */
export class Issuer {
  /** What it answers; a test changes it. */
  answer: (response: ServerResponse) => void = (response) => response.writeHead(404).end();
  /** How often it was asked. */
  requests = 0;
  readonly #server = createServer((_, response) => {
    this.requests++;
    this.answer(response);
  });
  #url = "";

  /** Listens on a free port, and publishes these keys. */
  static async start(...keys: readonly object[]): Promise<Issuer> {
    const issuer = new Issuer();
    issuer.publish(...keys);
    issuer.#server.listen(0, "127.0.0.1");
    await once(issuer.#server, "listening");
    const { port } = issuer.#server.address() as AddressInfo;
    issuer.#url = `http://127.0.0.1:${port}/keys.json?for=weir`;
    return issuer;
  }

  /** Keeps no process alive. */
  unref(): void {
    this.#server.unref();
  }

  /** The address of its keys. */
  get url(): string {
    return this.#url;
  }

  /** Publishes these keys from now on. */
  publish(...keys: readonly object[]): void {
    this.answer = (response) => {
      response.writeHead(200, { "content-type": "application/json", connection: "close" });
      response.end(JSON.stringify({ keys }));
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, "close");
  }
}
