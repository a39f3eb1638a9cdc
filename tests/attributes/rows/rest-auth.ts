/** The attributes that say which requests the `rest` connector serves, and for whom. */
import { Issuer, pair, SECRET, sign, type SigningKey } from "../../support/auth.ts";
import { websocket } from "../../support/socket-contract.ts";
import { handshakeText, SocketClient } from "../../support/socket-client.ts";
import { withServer } from "../connector-support.ts";
import type { Row } from "../row.ts";
import { inWorld } from "../support.ts";

const { privateKey, pem, jwk } = await pair("ES256");
const issuer = await Issuer.start({ ...jwk, kid: "one" });
issuer.unref();

const secret = `secret = "${SECRET}"`;
const es256 = { alg: "ES256", kid: "one" };
const NO_KEY = ["missing-key"];
const PAGE = "https://app.example";

/** A connector with a flow that answers with its client, on `GET /me`. */
function api(body: string, from = ""): string {
  return `
    connector "api" {
      type = "rest"
      port = 0
      ${body}
    }
    flow "me" {
      from {
        connector = "api"
        operation = "GET /me"
        ${from}
      }
      response {
        user    = "client.user_id"
        address = "client.remote_addr"
      }
    }
  `;
}

function auth(jwt: string, more = ""): string {
  return `auth {\njwt {\n${jwt}\n}\n${more}\n}`;
}

/** A token that is good for a minute unless the claims say otherwise. */
function token(
  claims: Readonly<Record<string, unknown>> = {},
  key?: SigningKey,
  header?: typeof es256,
): Promise<string> {
  return sign({ exp: Date.now() / 1000 + 60, ...claims }, key, header);
}

/** The user that a request with these headers is of, or the status of its refusal. */
function ask(
  config: string,
  headers: Readonly<Record<string, string>> = {},
  path = "/me",
): Promise<unknown> {
  return withServer(config, async ({ fetch }) => {
    const response = await fetch(path, { headers });
    const { user } = await response.json();
    return response.status === 200 ? user : response.status;
  });
}

async function askWith(config: string, made: Promise<string>): Promise<unknown> {
  return await ask(config, { authorization: `Bearer ${await made}` });
}

/** What so many requests at once get: their statuses, and when the next one is served. */
function flood(body: string, count: number): Promise<readonly unknown[]> {
  return inWorld(api(`rate_limit {\n${body}\n}`), async ({ request }) => {
    const answers = await Promise.all(
      Array.from({ length: count }, () => request("GET /me")),
    );
    return answers.map(({ status, body }) =>
      (body as { error?: { retry_after_ms?: number } }).error?.retry_after_ms ?? status
    );
  });
}

/** What a proxy on this machine says of a client. */
const FORWARDED = { "x-forwarded-for": "192.0.2.1, 203.0.113.7" };

/** Whether the address of the client is that of the header. */
function isBelieved(address: unknown): boolean {
  return address === "203.0.113.7";
}

/** Each of them, with a scenario that it changes. */
export const restAuthRows: readonly Row[] = [
  {
    attribute: "connector rest/origins",
    text: `origins = ["${PAGE}"]`,
    observe: (text) => ask(api(text), { origin: "https://evil.example" }),
    without: null,
    with: 403,
  },
  {
    attribute: "connector rest/auth/jwt/secret",
    text: secret,
    observe: (text) => askWith(api(auth(text)), token()),
    without: NO_KEY,
    with: "ana",
  },
  {
    attribute: "connector rest/auth/jwt/public_key",
    text: `public_key = ${JSON.stringify(pem)}`,
    observe: (text) => askWith(api(auth(text)), token({}, privateKey, es256)),
    without: NO_KEY,
    with: "ana",
  },
  {
    attribute: "connector rest/auth/jwt/jwks_url",
    text: `jwks_url = "${issuer.url}"`,
    observe: (text) =>
      askWith(
        api(auth(`audience = "weir"\n${text}`)),
        token({ aud: "weir" }, privateKey, es256),
      ),
    without: NO_KEY,
    with: "ana",
  },
  {
    attribute: "connector rest/auth/jwt/issuer",
    text: 'issuer = ["a", "b"]',
    observe: (text) => askWith(api(auth(`${secret}\n${text}`)), token({ iss: "c" })),
    without: "ana",
    with: 401,
  },
  {
    attribute: "connector rest/auth/jwt/audience",
    text: 'audience = "weir"',
    observe: (text) => askWith(api(auth(`${secret}\n${text}`)), token({ aud: "other" })),
    without: "ana",
    with: 401,
  },
  {
    attribute: "connector rest/auth/jwt/leeway",
    text: 'leeway = "10m"',
    observe: (text) =>
      askWith(api(auth(`${secret}\n${text}`)), token({ exp: Date.now() / 1000 - 5 })),
    without: 401,
    with: "ana",
  },
  {
    attribute: "connector rest/auth/jwt/user",
    text: 'user = "claims.email"',
    observe: (text) => askWith(api(auth(`${secret}\n${text}`)), token({ email: "ana@a.example" })),
    without: "ana",
    with: "ana@a.example",
  },
  {
    attribute: "connector rest/auth/from",
    text: 'from = ["query:token"]',
    observe: async (text) => await ask(api(auth(secret, text)), {}, `/me?token=${await token()}`),
    without: 401,
    with: "ana",
  },
  {
    attribute: "connector rest/auth/required",
    text: "required = false",
    observe: (text) => ask(api(auth(secret, text))),
    without: 401,
    with: null,
  },
  {
    attribute: "flow/from/public",
    text: "public = true",
    observe: (text) => ask(api(auth(secret), text)),
    without: 401,
    with: null,
  },
  {
    attribute: "connector rest/rate_limit/messages",
    text: "messages = 2",
    observe: (text) => flood(text, 3),
    without: ["missing-attribute"],
    with: [200, 200, 500],
  },
  {
    attribute: "connector rest/rate_limit/per",
    text: 'per = "2s"',
    observe: (text) => flood(`messages = 1\n${text}`, 2),
    without: [200, 1_000],
    with: [200, 2_000],
  },
  {
    attribute: "connector rest/rate_limit/burst",
    text: "burst = 3",
    observe: (text) => flood(`messages = 1\n${text}`, 4),
    without: [200, 1_000, 1_000, 1_000],
    with: [200, 200, 200, 1_000],
  },
  {
    attribute: "connector rest/trust_proxy",
    text: 'trust_proxy = ["127.0.0.0/8"]',
    observe: (text) =>
      withServer(api(text), async ({ fetch }) => {
        const { address } = await (await fetch("/me", { headers: FORWARDED })).json();
        return isBelieved(address);
      }),
    without: false,
    with: true,
  },
  {
    attribute: "connector websocket/trust_proxy",
    text: 'trust_proxy = ["127.0.0.0/8"]',
    observe: (text) => {
      const flow = `
        flow "who" {
          from {
            connector = "ws"
            operation = "connect"
          }
          to {
            connector = "probe"
            target    = "client.remote_addr"
          }
        }
      `;
      return withServer(websocket(text) + flow, async ({ port, probe }) => {
        const client = await SocketClient.connect(port);
        client.write(handshakeText("/ws", { headers: FORWARDED }));
        await client.upgraded();
        const [{ target }] = await probe.received(1);
        client.destroy();
        return isBelieved(target);
      });
    },
    without: false,
    with: true,
  },
];
