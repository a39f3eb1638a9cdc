/** HTTP requests of a test: through the application that serves them, without a listener. */
import type { FlowEvent, HttpService } from "../contract/connector.ts";
import { createSite, type Site } from "../runtime/site.ts";
import type { RequestStep } from "../model/test.ts";
import type { Activity } from "./activity.ts";
import type { Observer } from "./observe.ts";
import type { Records } from "./records.ts";

const JSON_BODY = { "content-type": "application/json" };

/** What a caller needs of its test. */
export interface CallerContext {
  readonly service: HttpService;
  readonly records: Records;
  readonly activity: Activity;
  readonly observer: Observer;
  /** Why which connector cannot serve at the moment. */
  health(): Readonly<Record<string, string>>;
}

/** Sends requests to one connector. */
export class Caller {
  readonly #name: string;
  readonly #context: CallerContext;
  readonly #site: Site;

  /** `name` is the connector's. */
  constructor(name: string, context: CallerContext) {
    const { service, health } = context;
    this.#name = name;
    this.#context = context;
    this.#site = createSite({ services: [service], upgrader: undefined, health });
  }

  /** Sends a request; the answer is recorded when it comes. */
  send(step: RequestStep): void {
    const { activity, observer, records } = this.#context;
    let event: FlowEvent | undefined;
    const arrived = activity.begin(`the request ${step.method} ${step.path}`);
    // From here on it is the flow that is at work, which may wait for the clock.
    observer.arrivals.set(this.#name, (first) => {
      observer.arrivals.delete(this.#name);
      event = first;
      arrived();
    });
    const answered = Promise.resolve(this.#site.fetch(toRequest(step))).then((response) => {
      observer.arrivals.delete(this.#name);
      arrived();
      return activity.track("an answer", this.#record(response, () => event));
    });
    answered.catch((error) => {
      observer.arrivals.delete(this.#name);
      arrived();
      records.mistake(`the request ${step.method} ${step.path} broke: ${error}`);
    });
  }

  async #record(response: Response, event: () => FlowEvent | undefined): Promise<void> {
    const { status } = response;
    const headers = Object.fromEntries(response.headers);
    const text = await response.text();
    const isJson = (headers["content-type"] ?? "").startsWith("application/json");
    const data = text === "" ? undefined : isJson ? JSON.parse(text) : text;
    const error = data?.error?.code;
    this.#context.records.add(
      this.#name,
      { status, data, headers, error: typeof error === "string" ? error : undefined },
      (failure) => failure.answering && failure.event === event(),
    );
  }
}

function toRequest({ method, path, headers, body }: RequestStep): Request {
  const url = new URL(path, "http://localhost");
  if (body === undefined) return new Request(url, { method, headers });
  return new Request(url, { method, body, headers: { ...JSON_BODY, ...headers } });
}
