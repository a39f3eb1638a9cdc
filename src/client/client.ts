/** A client: one link, its requests and its rooms. */
import type { Client, ConnectOptions, RequestOptions, SendOptions } from "./api.ts";
import type { Contract } from "./contract.ts";
import { createEmitter } from "./emitter.ts";
import { errorOf, type WeirError } from "./error.ts";
import type { Frame } from "./frame.ts";
import { createLink, type Link } from "./link.ts";
import type { Platform } from "./platform.ts";
import { createRequests } from "./requests.ts";
import { createRooms } from "./rooms.ts";
import type { JoinOptions } from "./seat.ts";

/** Makes a client on a platform. Throws for a URL that is none. */
export function createClient<C extends Contract>(
  url: string | URL,
  { token, tokenIn }: ConnectOptions,
  platform: Platform,
): Client<C> {
  const { on, emit } = createEmitter();
  /** Ids of messages begin with it: those of two clients differ. */
  const prefix = crypto.getRandomValues(new Uint32Array(3)).join("");
  let messages = 0;
  /** Why there will be no other connection. */
  let end: WeirError | undefined;

  const requests = createRequests(platform, (text) => link.send(text));
  const rooms = createRooms(platform, requests, () => link.status === "open");

  const frameOf = (type: string, data: unknown, options: RequestOptions) => {
    if (end) throw end;
    const { room, messageId = options.retry ? `${prefix}-${++messages}` : undefined } = options;
    return { type, data, room, message_id: messageId };
  };

  const receive = (frame: Frame) => {
    // `dropped` has a count.
    const { type, id, data = frame.count } = frame;
    if (type === "ack" || type === "error" && id !== undefined) requests.answer(frame);
    else if (type === "error") emit(type, errorOf(frame));
    // "status" is an event of the client itself.
    else if (!rooms.receive(frame)) emit(type === "status" ? "message" : type, data, frame);
  };

  const address = new URL(url, globalThis.location?.href);
  address.protocol = address.protocol.replace("http", "ws");
  if (!/^wss?:$/.test(address.protocol)) throw new TypeError(`no WebSocket URL: ${url}`);

  const link: Link = createLink(
    { url: address, token, parameter: tokenIn?.split("query:")[1] },
    platform,
    {
      status: (status, reason) => emit("status", status, reason),
      ready() {
        rooms.ready();
        requests.flush();
      },
      frame: receive,
      lost(reason, code) {
        const over = link.status === "closed";
        if (over) end ??= reason;
        rooms.lost(reason, over);
        // A message that is too large would end each connection.
        requests.lost(reason, over, code % 1000 === 9);
      },
      renew: (token) =>
        requests.ask({ type: "auth", token }).catch((reason) => emit("error", reason)),
    },
  );

  const client = {
    get status() {
      return link.status;
    },
    request: async (type: string, data: unknown, options: RequestOptions = {}) =>
      (await requests.ask(frameOf(type, data, options), options)).data,
    send(type: string, data: unknown, options: SendOptions = {}) {
      requests.add(frameOf(type, data, options), {});
    },
    join: (name: string, options: JoinOptions = {}) =>
      end ? Promise.reject(end) : rooms.join(name, options),
    on,
    retry: link.retry,
    close: link.close,
  };
  return client as unknown as Client<C>;
}
