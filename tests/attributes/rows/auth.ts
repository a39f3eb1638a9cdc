/** The attributes that say which clients the `websocket` connector lets in, and as whom. */
import { Issuer, pair, SECRET, sign, type SigningKey } from "../../support/auth.ts";
import { handshakeText, SocketClient } from "../../support/socket-client.ts";
import { websocket } from "../../support/socket-contract.ts";
import { type Server, withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";

const { privateKey, pem, jwk } = await pair("ES256");
const issuer = await Issuer.start({ ...jwk, kid: "one" });
issuer.unref();

const secret = `secret = "${SECRET}"`;
const es256 = { alg: "ES256", kid: "one" };
const NO_KEY = ["missing-key"];

function auth(jwt: string, more = ""): string {
  return websocket(`auth {\njwt {\n${jwt}\n}\n${more}\n}`);
}

/** A token that is good for a minute unless the claims say otherwise. */
function token(
  claims: Readonly<Record<string, unknown>> = {},
  key?: SigningKey,
  header?: typeof es256,
): Promise<string> {
  return sign({ exp: Date.now() / 1000 + 60, ...claims }, key, header);
}

/** The status that a client with this token in its query gets. */
async function statusOf(config: string, made: Promise<string>): Promise<number> {
  const one = await made;
  return await withServer(config, ({ handshake }) => handshake(`/ws?token=${one}`));
}

/** The status that a page of another site gets. */
async function statusOfPage({ port }: Server): Promise<number> {
  const client = await SocketClient.connect(port);
  client.write(handshakeText("/ws", { headers: { Origin: "https://evil.example" } }));
  const { status } = await client.head();
  client.destroy();
  return status;
}

/** Each of them, with a scenario that it changes. */
export const authRows: readonly Row[] = [
  {
    attribute: "connector websocket/origins",
    text: 'origins = ["https://app.example"]',
    observe: (text) => withServer(websocket(text), statusOfPage),
    without: 101,
    with: 403,
  },
  {
    attribute: "connector websocket/auth/jwt/secret",
    text: secret,
    observe: (text) => statusOf(auth(text), token()),
    without: NO_KEY,
    with: 101,
  },
  {
    attribute: "connector websocket/auth/jwt/public_key",
    text: `public_key = ${JSON.stringify(pem)}`,
    observe: (text) => statusOf(auth(text), token({}, privateKey, es256)),
    without: NO_KEY,
    with: 101,
  },
  {
    attribute: "connector websocket/auth/jwt/jwks_url",
    text: `jwks_url = "${issuer.url}"`,
    observe: (text) =>
      statusOf(auth(`audience = "weir"\n${text}`), token({ aud: "weir" }, privateKey, es256)),
    without: NO_KEY,
    with: 101,
  },
  {
    attribute: "connector websocket/auth/jwt/issuer",
    text: 'issuer = ["a", "b"]',
    observe: (text) => statusOf(auth(`${secret}\n${text}`), token({ iss: "c" })),
    without: 101,
    with: 401,
  },
  {
    attribute: "connector websocket/auth/jwt/audience",
    text: 'audience = "weir"',
    observe: (text) => statusOf(auth(`${secret}\n${text}`), token({ aud: "other" })),
    without: 101,
    with: 401,
  },
  {
    attribute: "connector websocket/auth/jwt/leeway",
    text: 'leeway = "10m"',
    observe: (text) => statusOf(auth(`${secret}\n${text}`), token({ exp: Date.now() / 1000 - 5 })),
    without: 401,
    with: 101,
  },
  {
    attribute: "connector websocket/auth/jwt/user",
    text: 'user = "claims.email"',
    async observe(text) {
      const one = await token({ sub: "7", email: "ana@example.com" });
      return await withServer(auth(`${secret}\n${text}`), async ({ connect, runtime }) => {
        await connect(`/ws?token=${one}`);
        const users = ["7", "ana@example.com"];
        return await Promise.all(users.map((user) => runtime.sendToUser(user, "hello")));
      });
    },
    without: [1, 0],
    with: [0, 1],
  },
  {
    attribute: "connector websocket/auth/from",
    text: 'from = ["header:authorization"]',
    observe: (text) => statusOf(auth(secret, text), token()),
    without: 101,
    with: 401,
  },
  {
    attribute: "connector websocket/auth/required",
    text: "required = false",
    observe: (text) => withServer(auth(secret, text), ({ handshake }) => handshake("/ws")),
    without: 401,
    with: 101,
  },
];
