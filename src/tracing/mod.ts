/**
 * Traces: a span for each run of a flow and for its requests, by the OpenTelemetry SDK that the program
 * has registered. Without one nothing is loaded, and flows run as if this folder were not there.
 *
 * May import base/, contract/ and model/.
 */
import { getLogger } from "@logtape/logtape";
import { messageOf } from "../base/shown.ts";
import type { Model } from "../model/mod.ts";
import type { Api } from "./spans.ts";
import type { Tracer } from "./tracer.ts";

/** Where every copy of `@opentelemetry/api` of version 1 keeps what is registered. */
const REGISTRY = Symbol.for("opentelemetry.js.api.1");

/** Begins to trace. Undefined where the program has no SDK. */
export async function startTracing(model: Model): Promise<Tracer | undefined> {
  if (!hasSdk()) return undefined;
  const api = await loadApi();
  if (api === undefined) return undefined;
  const { createTracer } = await import("./tracer.ts");
  return await createTracer(api, model);
}

/** The package that a program with an SDK has. */
async function loadApi(): Promise<Api | undefined> {
  try {
    return await import("@opentelemetry/api");
  } catch (error) {
    getLogger(["weir"]).warn(
      "the program has an OpenTelemetry SDK, and flows are not traced: @opentelemetry/api cannot be " +
        "imported; install it beside Weir: {reason}",
      { reason: messageOf(error) },
    );
    return undefined;
  }
}

/** Whether something takes spans. */
function hasSdk(): boolean {
  const registry = (globalThis as Record<symbol, unknown>)[REGISTRY];
  return (registry as { readonly trace?: unknown } | undefined)?.trace !== undefined;
}
