/** The attributes of the `http` connector, shown with an API that a test writes. */
import {
  type Answer,
  type Api,
  type Asked,
  call,
  calling,
  callOnce,
  connectorTo,
  reply,
  withApi,
} from "../../support/http-api.ts";
import type { Row } from "../row.ts";
import { ENDS, inWorld, type World } from "../support.ts";

const GET = 'operation = "GET /x"';
const POST = 'operation = "POST /x"';

/** What the configuration says beside the URL and the operation. */
interface Texts {
  readonly connector?: string;
  readonly to?: string;
  readonly data?: unknown;
}

/** Calls once, and shows what the API got first. */
function asked(texts: Texts, see: (asked: Asked) => unknown): Promise<unknown> {
  return withApi(() => reply(200, {}), async ({ url, asked }) => {
    await callOnce(url, { to: GET, ...texts });
    return see(asked[0]);
  });
}

/** Calls once, and shows what the flow got of the answer: the result, or the error's message. */
function got(texts: Texts, answer: Answer): Promise<unknown> {
  return withApi(answer, async ({ url }) => {
    const { result, error } = await callOnce(url, { to: GET, ...texts });
    return error === undefined ? result : error.message;
  });
}

/** A world with the connector and its flow. */
function inApi<T>(
  answer: Answer,
  { connector, to = GET }: Texts,
  look: (world: World, api: Api) => Promise<T>,
): Promise<T> {
  return withApi(answer, (api) => {
    const config = ENDS + connectorTo(api.url, connector) + calling(to);
    return inWorld(config, (world) => look(world, api));
  });
}

/** The delays between attempts without their jitter, in milliseconds, if the API answers with 503. */
async function delays(retry: string): Promise<unknown> {
  let now = () => 0;
  const times: number[] = [];
  const answer = () => {
    times.push(now());
    return reply(503);
  };
  await inApi(answer, { connector: `retry {\n${retry}\n}` }, async (world) => {
    now = () => world.clock.elapsed();
    let isEnded = false;
    void call(world).finally(() => isEnded = true);
    for (; !isEnded; await world.clock.advance(100)) await answered(world);
  });
  return times.slice(1).map((time, i) =>
    [1_000, 2_000, 5_000, 10_000].find((delay) => time - times[i] < delay * 1.4)
  );
}

/** Waits until no request is on its way. */
async function answered({ runtime }: World): Promise<void> {
  const atWork = () => runtime.counts().api.in_flight > 0;
  do await new Promise((resolve) => setTimeout(resolve, 1)); while (atWork());
}

const authorization = ({ headers }: Asked): string | null => headers.authorization ?? null;

const decoded = (asked: Asked): string | null => {
  const text = authorization(asked);
  return text === null ? null : atob(text.replace("Basic ", ""));
};

const auth = (text: string): string => `auth {\n${text}\n}`;

/** A row of `oauth2`: what can be seen of the requests, of which the first asks for a token. */
function oauthRow(
  name: string,
  text: string,
  see: (asked: readonly Asked[]) => unknown,
  outcomes: Pick<Row, "without" | "with">,
): Row {
  const answer: Answer = ({ path }) =>
    path === "/token" ? reply(200, { access_token: "t1" }) : reply(200, {});
  return {
    attribute: `connector http/auth/oauth2/${name}`,
    text,
    observe: (text) =>
      withApi(answer, async ({ url, asked }) => {
        const all = {
          token_url: `token_url = "${url}/token"`,
          client_id: 'client_id = "me"',
          client_secret: 'client_secret = "it"',
          [name]: text.replace("URL", url),
        };
        const connector = auth(`oauth2 {\n${Object.values(all).join("\n")}\n}`);
        await callOnce(url, { connector, to: GET });
        return see(asked);
      }),
    ...outcomes,
  };
}

/** Each of them, with a scenario that it changes. */
export const httpRows: readonly Row[] = [
  {
    attribute: "connector http/base_url",
    text: "URL",
    observe: (text) =>
      withApi(() => reply(200, {}), async ({ url, asked }) => {
        const base = text.replace("URL", `base_url = "${url}/v1"`);
        const config = `${ENDS}connector "api" {\ntype = "http"\n${base}\n}\n${calling(GET)}`;
        await inWorld(config, (world) => call(world));
        return asked[0].path;
      }),
    without: ["missing-attribute"],
    with: "/v1/x",
  },
  {
    attribute: "connector http/headers",
    text: `headers = { X-Version = "'2'" }`,
    observe: (connector) => asked({ connector }, ({ headers }) => headers["x-version"] ?? null),
    without: null,
    with: "2",
  },
  {
    attribute: "connector http/auth/bearer",
    text: auth('bearer = "t"'),
    observe: (connector) => asked({ connector }, authorization),
    without: null,
    with: "Bearer t",
  },
  ...["user", "password"].map((name): Row => {
    const others = { user: 'user = "me"', password: 'password = "it"' };
    return {
      attribute: `connector http/auth/basic/${name}`,
      text: `${name} = "ü:"`.replace(name === "user" ? ":" : "", ""),
      observe: (text) =>
        asked({
          connector: auth(`basic {\n${Object.values({ ...others, [name]: text }).join("\n")}\n}`),
        }, decoded),
      without: ["missing-attribute"],
      with: name === "user" ? "Ã¼:it" : "me:Ã¼:",
    };
  }),
  ...[["name", 'name = "X-Key"'], ["value", 'value = "k"']].map(([name, text]): Row => {
    const others = { name: 'name = "X-Key"', value: 'value = "k"' };
    return {
      attribute: `connector http/auth/header/${name}`,
      text,
      observe: (text) =>
        asked({
          connector: auth(`header {\n${Object.values({ ...others, [name]: text }).join("\n")}\n}`),
        }, ({ headers }) => headers["x-key"]),
      without: ["missing-attribute"],
      with: "k",
    };
  }),
  oauthRow("token_url", 'token_url = "URL/token"', (asked) => asked.map(authorization), {
    without: ["missing-attribute"],
    with: [`Basic ${btoa("me:it")}`, "Bearer t1"],
  }),
  oauthRow("client_id", 'client_id = "a b"', ([asked]) => decoded(asked), {
    without: ["missing-attribute"],
    with: "a%20b:it",
  }),
  oauthRow("client_secret", 'client_secret = "s"', ([asked]) => decoded(asked), {
    without: ["missing-attribute"],
    with: "me:s",
  }),
  oauthRow("scope", 'scope = "read write"', ([{ body }]) => body, {
    without: "grant_type=client_credentials",
    with: "grant_type=client_credentials&scope=read+write",
  }),
  {
    attribute: "connector http/timeout",
    text: 'timeout = "20ms"',
    observe: (connector) =>
      got({ connector }, ({ socket }) => {
        setTimeout(() => socket.write(reply(200, "late")), 200);
      }),
    without: "late",
    with: 'connector "api": GET /x took longer than 20 ms',
  },
  {
    attribute: "connector http/retry/attempts",
    text: "attempts = 2",
    observe: delays,
    without: [1_000, 2_000],
    with: [1_000],
  },
  {
    attribute: "connector http/retry/delay",
    text: 'delay = "5s"',
    observe: delays,
    without: [1_000, 2_000],
    with: [5_000, 10_000],
  },
  {
    attribute: "connector http/retry/backoff",
    text: 'backoff = "constant"',
    observe: delays,
    without: [1_000, 2_000],
    with: [1_000, 1_000],
  },
  {
    // The requests that the API has got while it answers none.
    attribute: "connector http/max_connections",
    text: "max_connections = 1",
    observe: (connector) => {
      const held: Asked[] = [];
      return inApi((asked) => void held.push(asked), { connector }, async (world) => {
        const calls = [call(world), call(world)];
        for (let i = 0; i < 50 && held.length < 2; i++) {
          await new Promise((resolve) => setTimeout(resolve, 2));
        }
        const { length } = held;
        for (let i = 0; i < 2; i++) {
          while (held.length <= i) await new Promise((resolve) => setTimeout(resolve, 1));
          held[i].socket.write(reply(200, {}));
        }
        await Promise.all(calls);
        return length;
      });
    },
    without: 2,
    with: 1,
  },
  {
    attribute: "connector http/max_response_size",
    text: "max_response_size = 3",
    observe: (connector) => got({ connector }, () => reply(200, "four")),
    without: "four",
    with: 'connector "api": GET /x was answered with more than 3 bytes (max_response_size)',
  },
  {
    attribute: "to http/query",
    text: 'query = { page = "input.n + 1" }',
    observe: (text) => asked({ to: `${GET}\n${text}`, data: { n: 1 } }, ({ path }) => path),
    without: "/x?n=1",
    with: "/x?page=2",
  },
  {
    attribute: "to http/headers",
    text: 'headers = { X-Trace = "input.n" }',
    observe: (text) =>
      asked(
        { to: `${GET}\n${text}`, data: { n: 1 } },
        ({ headers }) => headers["x-trace"] ?? null,
      ),
    without: null,
    with: "1",
  },
  {
    attribute: "to http/body",
    text: 'body = { text = "input.n" }',
    observe: (text) => asked({ to: `${POST}\n${text}`, data: { n: 1 } }, ({ body }) => body),
    without: '{"n":1}',
    with: '{"text":1}',
  },
  {
    attribute: "to http/idempotency_key",
    text: 'idempotency_key = "input.n"',
    observe: (text) =>
      asked(
        { to: `${POST}\n${text}`, data: { n: 1 } },
        ({ headers }) => headers["idempotency-key"] ?? null,
      ),
    without: null,
    with: "1",
  },
  {
    attribute: "to http/response",
    text: 'response = "full"',
    observe: (text) => got({ to: `${GET}\n${text}` }, () => reply(201, { id: 7 })),
    without: { id: 7 },
    with: {
      status: 201,
      headers: { "content-type": "application/json", "content-length": "8" },
      body: { id: 7 },
    },
  },
];
