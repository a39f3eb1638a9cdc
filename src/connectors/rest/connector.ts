/** A rest connector at work: routes, and the flows that answer them. */
import type { Context, Hono } from "hono";
import type { Authenticator } from "../../access/auth/authenticator.ts";
import { TrustedProxies } from "../../access/proxies.ts";
import { ConnectorError } from "../../base/errors.ts";
import { InFlight } from "../../base/in-flight.ts";
import { shown } from "../../base/shown.ts";
import type {
  Connector,
  ConnectorContext,
  FlowHandler,
  HttpService,
  Logger,
} from "../../contract/connector.ts";
import { admit, dispatch } from "../../contract/dispatch.ts";
import { vouchedClientOf } from "../../transport/vouched.ts";
import { byPrecision, honoPath, type Operation, parseOperation } from "./operation.ts";
import type { RestOptions } from "./options.ts";
import { ReceivedRequest } from "./client.ts";
import { readersOf } from "./cors.ts";
import { Gate } from "./gate.ts";
import { type BodyOptions, BodyReader, readEvent } from "./request.ts";
import { endingResponse, errorResponse, unauthorized, unavailable } from "./response.ts";
import { type Env, otherMethods, otherPaths, ownMethods } from "./unserved.ts";

/** One operation and the flows on it, in file order. */
interface Route {
  readonly operation: Operation;
  readonly handlers: FlowHandler[];
  /** Those of them that need no token. */
  readonly open: FlowHandler[];
}

/** Serves the flows of one connector. */
export class RestConnector implements Connector {
  readonly http: HttpService;
  readonly #name: string;
  readonly #options: RestOptions;
  readonly #logger: Logger;
  /** By method and shape. */
  readonly #routes = new Map<string, Route>();
  readonly #bodies: BodyOptions;
  readonly #gate: Gate;
  readonly #proxies: TrustedProxies | undefined;
  readonly #inFlight = new InFlight();
  #accepting = false;

  /** Opens nothing. Pass an `authenticator` where the options have `auth`. */
  constructor(options: RestOptions, context: ConnectorContext, authenticator?: Authenticator) {
    const { name, logger, clock } = context;
    this.#name = name;
    this.#options = options;
    this.#logger = logger;
    this.#bodies = { reader: new BodyReader(clock), maxSize: options.max_body_size };
    this.#gate = new Gate(options, clock, authenticator);
    this.#proxies = options.trust_proxy && new TrustedProxies(options.trust_proxy, logger);
    this.http = {
      listen: { host: options.host, port: options.port },
      routes: (app) => this.#register(app as unknown as Hono<Env>),
    };
  }

  subscribe(text: string | undefined, handler: FlowHandler): void {
    const operation = parseOperation(text);
    if ("message" in operation) {
      throw new ConnectorError(this.#name, `flow "${handler.flow}" ${operation.message}`);
    }
    const key = `${operation.method} ${operation.shape}`;
    const route = this.#routes.get(key);
    const open = handler.public === true ? [handler] : [];
    if (route === undefined) {
      this.#routes.set(key, { operation, handlers: [handler], open });
    } else if (route.operation.path === operation.path) {
      route.handlers.push(handler);
      route.open.push(...open);
    } else {
      const [{ flow }] = route.handlers;
      throw new ConnectorError(
        this.#name,
        `flow "${handler.flow}" takes the same requests as flow "${flow}" and names a parameter ` +
          `differently: ${operation.path} and ${route.operation.path}; give both the same name`,
      );
    }
  }

  consume(): Promise<void> {
    this.#accepting = true;
    return Promise.resolve();
  }

  stop(): Promise<void> {
    this.#accepting = false;
    this.#bodies.reader.close();
    return Promise.resolve();
  }

  drain(): Promise<void> {
    return this.#inFlight.empty();
  }

  #register(app: Hono<Env>): void {
    const routes = [...this.#routes.values()].sort((a, b) => byPrecision(a.operation, b.operation));
    const paths = Map.groupBy(routes, ({ operation }) => operation.shape);
    const methodsOf = (same: readonly Route[]) => same.map(({ operation }) => operation.method);
    const readers = readersOf(this.#options);
    if (readers !== undefined) {
      for (const same of paths.values()) {
        app.use(honoPath(same[0].operation), ownMethods(methodsOf(same), readers));
      }
    }
    for (const route of routes) {
      app.on(route.operation.method, honoPath(route.operation), (context) => {
        context.set("weir.served", true);
        return this.#inFlight.add(this.#serve(context, route));
      });
    }
    for (const same of paths.values()) {
      app.all(honoPath(same[0].operation), otherMethods(methodsOf(same), readers));
    }
    if (readers !== undefined) app.use(otherPaths(readers));
  }

  async #serve(context: Context, { operation, handlers, open }: Route): Promise<Response> {
    if (!this.#accepting) return unavailable();
    const { raw } = context.req;
    const received = new ReceivedRequest(context, this.#proxies);
    const decision = this.#gate.admit(received, open.length > 0, vouchedClientOf(raw));
    const admitted = decision instanceof Promise ? await decision : decision;
    if (admitted instanceof Response) return refused(admitted, raw);
    // The shutdown began while the token was verified.
    if (!this.#accepting) return unavailable();
    const event = await readEvent(context, operation, admitted, this.#bodies);
    if (event instanceof Response) return event;
    const served = admitted.entitled ? handlers : open;
    const broken = (error: unknown): Response => {
      this.#logger.error("{operation} failed: {error}", {
        operation: shown(event.operation),
        error,
      });
      return failure();
    };
    try {
      const { answer, all } = dispatch(admit(served, event), event);
      if (answer === undefined) {
        // A flow that is not public might have taken it.
        if (open.length < handlers.length && !admitted.entitled) {
          return unauthorized("a token is required");
        }
        return errorResponse("not_found", "no flow takes this request");
      }
      void this.#inFlight.add(Promise.resolve(all).catch(broken));
      // A bug in the first flow rejects `all` as well, which logs it.
      const ending = await Promise.resolve(answer).catch(() => undefined);
      return ending === undefined ? failure() : endingResponse(ending);
    } catch (error) {
      return broken(error);
    }
  }
}

/** The refusal of a request whose body is not read: the connection cannot be used again. */
function refused(response: Response, { body }: Request): Response {
  if (body !== null) response.headers.set("connection", "close");
  return response;
}

function failure(): Response {
  return errorResponse("flow_failed", "the service failed");
}
