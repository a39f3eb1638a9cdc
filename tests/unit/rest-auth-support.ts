/** A `rest` connector of a configuration, asked without a network. */
import { assembleRuntime } from "../../src/runtime/mod.ts";
import type { RuntimeCore } from "../../src/runtime/core.ts";
import { forge, NOW, SECRET, sign } from "../support/auth.ts";
import { ManualClock } from "../support/clock.ts";

export { forge, NOW, SECRET, sign };

/** What a request has beside its path. */
export interface Asked {
  readonly method?: string;
  readonly headers?: Readonly<Record<string, string>>;
  /** Sent as JSON. */
  readonly body?: unknown;
  /** The address that it comes from; `192.0.2.1` by default, null for an unknown one. */
  readonly from?: string | null;
}

/** What the connector answers. */
export interface Answered {
  readonly status: number;
  readonly headers: Headers;
  /** Parsed; undefined without a body. */
  readonly data: Record<string, unknown> | undefined;
  /** The code of an error. */
  readonly code: unknown;
}

/** A connector at work at the time `NOW`. */
export interface Api {
  readonly clock: ManualClock;
  readonly runtime: RuntimeCore;
  ask(path?: string, asked?: Asked): Promise<Answered>;
}

/** The connector `api` with these attributes. */
export function api(attributes: string): string {
  return `connector "api" {\n  type = "rest"\n  port = 0\n${attributes}\n}\n`;
}

/** An `auth` block; `more` stands beside its keys. */
export function auth(more = "", jwt = `secret = "${SECRET}"`): string {
  return `auth {\n jwt {\n${jwt}\n }\n${more}\n}\n`;
}

/** A flow that answers with all that it sees. */
export function show(operation = "GET /me", from = "", name = operation): string {
  return `flow ${JSON.stringify(name)} {
    from {
      connector = "api"
      operation = ${JSON.stringify(operation)}
      ${from}
    }
    response {
      client  = "client"
      input   = "input"
      flow    = ${JSON.stringify(JSON.stringify(name))}
    }
  }
  `;
}

/** Runs a configuration while `look` asks it. */
export async function withApi<T>(config: string, look: (api: Api) => Promise<T>): Promise<T> {
  const clock = new ManualClock(NOW * 1000);
  const runtime = await assembleRuntime(config, { clock });
  try {
    await runtime.start();
    await runtime.consume();
    const ask: Api["ask"] = async (path = "/me", asked = {}) => {
      const { method = asked.body === undefined ? "GET" : "POST", headers, body, from } = asked;
      const request = new Request(`http://localhost${path}`, {
        method,
        headers: {
          ...(body === undefined ? {} : { "content-type": "application/json" }),
          ...headers,
        },
        ...(body === undefined ? {} : { body: JSON.stringify(body) }),
      });
      const env = from === null ? undefined : { remoteAddr: { hostname: from ?? "192.0.2.1" } };
      const response = await runtime.fetch(request, env);
      const text = await response.text();
      const data = text === "" ? undefined : JSON.parse(text);
      const { status } = response;
      return { status, headers: response.headers, data, code: data?.error?.code };
    };
    return await look({ clock, runtime, ask });
  } finally {
    await runtime.close();
  }
}

/** The header of a token. */
export function bearer(token: string): Asked {
  return { headers: { authorization: `Bearer ${token}` } };
}
