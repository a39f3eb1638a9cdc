/** A collector of OpenTelemetry: it takes spans as OTLP in JSON, over HTTP. */
import { createServer, type IncomingMessage, type Server } from "node:http";
import type { AddressInfo } from "node:net";
import { pathToFileURL } from "node:url";
import { join } from "node:path";
import { root } from "./process.ts";
import { until } from "./socket-probe.ts";
import type { Tool } from "./toolchain.ts";
import { treeOf } from "./tracing.ts";

/** A span that has come. */
export interface CollectedSpan {
  /** Who has made it: `@weir/runtime`, or a part of the runtime. */
  readonly scope: string;
  readonly name: string;
  readonly trace: string;
  readonly id: string;
  /** Empty without one. */
  readonly parent: string;
  readonly attributes: Readonly<Record<string, unknown>>;
}

/** What this file reads of OTLP. */
interface Request {
  readonly resourceSpans?: readonly {
    readonly scopeSpans: readonly {
      readonly scope?: { readonly name?: string };
      readonly spans: readonly {
        readonly name: string;
        readonly traceId: string;
        readonly spanId: string;
        readonly parentSpanId?: string;
        readonly attributes?: readonly {
          readonly key: string;
          readonly value: Readonly<Record<string, unknown>>;
        }[];
      }[];
    }[];
  }[];
}

/** The module that registers an SDK. */
const SDK = join(root, "tests/fixtures/tracing/sdk.ts");

/** Collects spans until it is closed. */
export class Collector {
  /** In the order of their arrival. */
  readonly spans: CollectedSpan[] = [];
  /** How many requests have come, and how many of them have no answer. */
  requests = 0;
  readonly #server: Server;
  readonly #answers: boolean;

  private constructor(answers: boolean) {
    this.#answers = answers;
    this.#server = createServer((request, response) => {
      this.requests++;
      void bodyOf(request).then((body) => {
        if (!this.#answers) return;
        this.#take(JSON.parse(body));
        response.setHeader("content-type", "application/json");
        response.end("{}");
      });
    });
  }

  /** Opens one. With `answers = false` it answers nothing. */
  static async open({ answers = true }: { readonly answers?: boolean } = {}): Promise<Collector> {
    const collector = new Collector(answers);
    await new Promise<void>((resolve) => collector.#server.listen(0, "127.0.0.1", resolve));
    return collector;
  }

  /** Its URL. */
  get url(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  /** What makes the `weir` command send its spans here. */
  env(runtime: Tool): Readonly<Record<string, string>> {
    return tracingTo(this.url, runtime);
  }

  /** The spans of Weir in one trace. */
  trace(id: string): readonly CollectedSpan[] {
    return this.spans.filter(({ trace, scope }) => trace === id && scope === "@weir/runtime");
  }

  /** Waits until a trace has that many spans of Weir, and returns each with its parent, sorted. */
  async tree(id: string, count: number): Promise<readonly string[]> {
    await until(`${count} spans`, () => this.trace(id).length >= count, 50, 30_000)
      .catch((error) => {
        throw new Error(`${error.message}: ${treeOf(this.trace(id)).join("; ")}`);
      });
    return treeOf(this.trace(id));
  }

  close(): void {
    this.#server.close();
    this.#server.closeAllConnections();
  }

  #take({ resourceSpans = [] }: Request): void {
    for (const { scopeSpans } of resourceSpans) {
      for (const { scope, spans } of scopeSpans) {
        for (const span of spans) {
          const attributes = (span.attributes ?? [])
            .map(({ key, value }) => [key, Object.values(value)[0]] as const);
          this.spans.push({
            scope: scope?.name ?? "",
            name: span.name,
            trace: span.traceId,
            id: span.spanId,
            parent: span.parentSpanId ?? "",
            attributes: Object.fromEntries(attributes),
          });
        }
      }
    }
  }
}

/** What makes the `weir` command send its spans to a URL: Deno has an SDK, Node and Bun load one. */
export function tracingTo(url: string, runtime: Tool): Readonly<Record<string, string>> {
  const collector = {
    OTEL_EXPORTER_OTLP_ENDPOINT: url,
    OTEL_EXPORTER_OTLP_PROTOCOL: "http/json",
    OTEL_BSP_SCHEDULE_DELAY: "50",
    // Deno waits for it when it ends.
    OTEL_EXPORTER_OTLP_TIMEOUT: "1000",
  };
  switch (runtime) {
    case "deno":
      // By default its own spans are recorded, whatever the sender says.
      return { ...collector, OTEL_DENO: "true", OTEL_TRACES_SAMPLER: "parentbased_always_on" };
    case "bun":
      return { ...collector, BUN_OPTIONS: `--preload=${SDK}` };
    case "node":
      return { ...collector, NODE_OPTIONS: `--import=${pathToFileURL(SDK)}` };
  }
}

async function bodyOf(request: IncomingMessage): Promise<string> {
  let text = "";
  request.setEncoding("utf8");
  for await (const part of request) text += part;
  return text;
}
