/** The admin port of the `service` block: where it listens, and who may ask. */
import { isLoopback } from "../base/loopback.ts";
import { attribute, type Values } from "../contract/fields.ts";
import { placesOf } from "../contract/places.ts";
import { integer, text, type ValueSchema } from "../contract/value-schema.ts";
import { positionOf } from "../hcl/tree.ts";
import type { AdminModel } from "../model/mod.ts";
import type { ReadConnector } from "./connector.ts";
import type { Loading } from "./loading.ts";

/** In characters. A shorter token can be guessed. */
const SHORTEST_TOKEN = 16;
/** In characters. A header has to hold it. */
const LONGEST_TOKEN = 1024;
/** What RFC 6750 allows in an `Authorization: Bearer` header. */
const TOKEN = /^[A-Za-z0-9._~+/-]+=*$/;

const token: ValueSchema<string> = {
  description: "text",
  parse(value) {
    if (typeof value !== "string") return { problem: "must be text in quotes" };
    const hint = "make one with: openssl rand -hex 32";
    if (value.length < SHORTEST_TOKEN) {
      return { problem: `must have at least ${SHORTEST_TOKEN} characters`, hint };
    }
    if (value.length > LONGEST_TOKEN) {
      return { problem: `must have at most ${LONGEST_TOKEN} characters`, hint };
    }
    if (TOKEN.test(value)) return { value };
    return { problem: "must have only letters, digits and . _ ~ + / -, then = signs", hint };
  },
};

/** The attributes of the admin port. */
export const adminFields = {
  admin_port: attribute(integer({ max: 65535 }), {
    about: "The port of [health checks, metrics and status](admin.md), apart from the ports of " +
      "connectors; 0 takes a free one. Without it, `/health` is on every HTTP port.",
  }),
  admin_host: attribute(text(), {
    about: "The address that the admin port listens on. Another one than `127.0.0.1`, `::1` or " +
      "`localhost` needs `admin_token`.",
    default: "127.0.0.1",
  }),
  admin_token: attribute(token, {
    about: "Every request to the admin port needs it, as `Authorization: Bearer TOKEN`. Without " +
      "it, only this machine can ask.",
  }),
};

/** Reads the admin port of the block; undefined if it has none. */
export function readAdmin(
  options: Values<typeof adminFields>,
  report: Loading["report"],
): AdminModel | undefined {
  const places = placesOf(options);
  if (!places.has("admin_port")) {
    if (places.misspelled.has("admin_port")) return undefined;
    for (const name of ["admin_host", "admin_token"] as const) {
      if (!places.has(name)) continue;
      const message = `service: ${name} has no effect without admin_port`;
      report({ code: "unused-attribute", span: places.of(name), message });
    }
    return undefined;
  }
  const { admin_port: port, admin_host: host, admin_token: token } = options;
  const mayHaveToken = places.has("admin_token") || places.misspelled.has("admin_token");
  if (!isLoopback(host) && !mayHaveToken) {
    report({
      code: "missing-token",
      span: places.of("admin_host"),
      message: `service: other machines reach admin_host "${host}", so it needs admin_token`,
      hint: 'add admin_token = env("ADMIN_TOKEN"), or remove admin_host',
    });
  }
  return port === undefined ? undefined : { host, port, token };
}

/** Reports connectors that have the port of the admin port. */
export function refuseAdminPort(
  options: Values<typeof adminFields>,
  connectors: readonly ReadConnector[],
  report: Loading["report"],
): void {
  const { admin_port: port } = options;
  if (port === undefined || port === 0) return;
  for (const { name, model, sound } of connectors) {
    const address = sound ? model?.definition.listener?.(model.options)?.address : undefined;
    if (model === undefined || address?.endsWith(`:${port}`) !== true) continue;
    const { file, line } = positionOf(placesOf(model.options as object).header);
    report({
      code: "duplicate-address",
      span: placesOf(options).of("admin_port"),
      message: `service: connector "${name}" at ${file}:${line} has the port ${port} as well`,
      hint: "choose another admin_port",
    });
  }
}
