/** One connection after the other: connects, notices that a connection is dead, and waits. */
import { errorOf, WeirError } from "./error.ts";
import { type Frame, readFrame } from "./frame.ts";
import {
  CONNECT_WITHIN,
  DRAIN_DELAY,
  FIRST_DELAY,
  GIVEN_UP,
  GOOD_AFTER,
  LATE,
  LONGEST_DELAY,
  LONGEST_TOLD,
  PING_AFTER,
  PONG_WITHIN,
} from "./limits.ts";
import type { Platform, Socket, Surrounding } from "./platform.ts";
import { renewalOf } from "./token.ts";

/** What the client is doing. */
export type Status = "connecting" | "open" | "waiting" | "closed";

/** Where a token comes from; null or nothing connects without one. */
export type TokenSource =
  | string
  | (() => string | null | undefined | Promise<string | null | undefined>);

/** Where a link leads. */
export interface Target {
  readonly url: URL;
  readonly token?: TokenSource | undefined;
  /** The parameter of the URL for the token; a subprotocol without it. */
  readonly parameter?: string | undefined;
}

/** What a link tells. */
export interface LinkEvents {
  status(status: Status, reason?: WeirError): void;
  /** The server answers on a new connection; comes before the status, whose handlers may send. */
  ready(): void;
  frame(frame: Frame): void;
  /** A connection has gone, or could not be had, or there will never be another. */
  lost(reason: WeirError, code: number): void;
  /** A token must be sent. */
  renew(token: string): void;
}

/** The connection to the server. */
export interface Link {
  readonly status: Status;
  /** Returns false where there is no connection. */
  send(text: string): boolean;
  /** Connects at once where it waits; asks an open connection for a sign of life. */
  retry(what?: Surrounding): void;
  close(): void;
}

const PROTOCOL = "weir.1";
const PING = '{"type":"ping"}';

/** Makes a link, which connects at once. */
export function createLink(target: Target, platform: Platform, events: LinkEvents): Link {
  const { url, token: source, parameter } = target;
  const { after, now, random } = platform;
  const renewable = typeof source === "function";
  let status: Status = "connecting";
  let socket: Socket | undefined;
  /** Cancels what the link waits for: a connection, the next ping, its pong, the next attempt. */
  let cancel = () => {};
  let cancelRenewal = () => {};
  /** Rises with each connection, so that what was meant for a former one is not taken for it. */
  let turn = 0;
  let failures = 0;
  /** When the first of them was. */
  let since = 0;
  /** How many tokens were refused since the last connection: a second one is asked for. */
  let refusals = 0;
  let token: string | null | undefined;
  /** From when on the connection is a good one. */
  let goodFrom = Infinity;
  let heardAt = 0;
  let alive = false;
  /** How long the server has asked it to stay away. */
  let least = 0;
  /** An error frame before the first pong: a close that follows was meant by it. */
  let refusal: Frame | undefined;

  const change = (next: Status, reason?: WeirError) => {
    status = next;
    events.status(next, reason);
  };

  const disconnected = (message: string) => new WeirError("disconnected", message);

  const drop = (code: number) => {
    turn++;
    cancel();
    cancelRenewal();
    socket?.close(code);
    socket = undefined;
  };

  const end = (reason: WeirError, code = 1000) => {
    if (status === "closed") return;
    drop(code);
    stopListening();
    change("closed", reason);
    events.lost(reason, code);
  };

  /** Gives the connection up and waits for the next attempt. */
  const lose = (reason: WeirError, code = GIVEN_UP) => {
    drop(GIVEN_UP);
    if (now() > goodFrom) failures = 0;
    goodFrom = Infinity;
    // Embedded in Deno's own server, Weir can only send 4001 for 1001.
    const drained = code % 3000 === 1001;
    least = Math.min(reason.retryAfter ?? 0, LONGEST_TOLD);
    if (!failures) since = now();
    // Short waits by luck do not add up to a long one after a short outage.
    const bearable = Math.max(FIRST_DELAY, 4 * (now() - since));
    const longest = Math.min(FIRST_DELAY * 2 ** failures++, LONGEST_DELAY, bearable);
    const delay = least + random() * Math.max(longest, drained ? DRAIN_DELAY : 0);
    cancel = after(delay, connect);
    change("waiting", Object.assign(reason, { retryAfter: delay }));
    events.lost(reason, code);
  };

  const closed = (code: number, why: string) => {
    const reason = refusal ? errorOf(refusal) : disconnected(why || "connection lost");
    const final = code === 4403 || code === 4401 && (!renewable || ++refusals > 1);
    (final ? end : lose)(reason, code);
  };

  /** Asks the server for a sign of life. A process that slept itself asks once more. */
  const probe = (again = false) => {
    cancel();
    alive = false;
    const sent = now();
    socket?.send(PING);
    cancel = after(PONG_WITHIN, () => {
      if (alive) watch();
      else if (!again && now() - sent > LATE) probe(true);
      else lose(disconnected("no answer in time"));
    });
  };

  /** Waits until nothing was received for a while. */
  const watch = () => {
    // A clock that was set back tells nothing.
    const left = PING_AFTER - Math.max(0, now() - heardAt);
    if (left <= 0) return probe();
    cancel();
    cancel = after(left, watch);
  };

  const ask = async () => renewable ? await source() : source;

  /** Asks for the next token in time. */
  const planRenewal = (delay = renewalOf(token, now())) => {
    if (!delay || !renewable) return;
    const mine = turn;
    cancelRenewal = after(delay, async () => {
      const next = await ask().catch(() => undefined);
      if (mine !== turn) return;
      // It may have failed for a moment: the old one is still in force.
      if (!next) return planRenewal(PONG_WITHIN);
      if (next !== token) events.renew(token = next);
      planRenewal();
    });
  };

  const receive = (text: unknown) => {
    heardAt = now();
    alive = true;
    const frame = readFrame(text);
    if (frame === undefined) return;
    if (frame.type !== "pong") {
      if (status !== "open" && frame.type === "error") refusal = frame;
      else events.frame(frame);
    } else if (status !== "open") {
      goodFrom = heardAt + GOOD_AFTER;
      refusals = 0;
      watch();
      planRenewal();
      status = "open";
      events.ready();
      change("open");
    }
  };

  const connect = async () => {
    const mine = ++turn;
    cancel();
    refusal = undefined;
    cancel = after(CONNECT_WITHIN, () => lose(disconnected("no answer in time")));
    change("connecting");
    try {
      token = await ask();
      if (mine !== turn) return;
      const address = new URL(url);
      const protocols = [PROTOCOL];
      if (token && parameter) address.searchParams.set(parameter, token);
      else if (token) protocols.push(token);
      const current = socket = platform.open(address.href, protocols);
      // A refusal can only be told from a connection by what follows: `open` waits for the pong.
      current.onopen = () => current.send(PING);
      current.onmessage = ({ data }: { readonly data: unknown }) => mine === turn && receive(data);
      current.onclose = ({ code, reason }: { readonly code: number; readonly reason: string }) =>
        mine === turn && closed(code, reason);
    } catch (error) {
      // `token()` has failed, or what it returned is none.
      if (mine === turn) lose(disconnected(String(error)));
    }
  };

  const retry = (what?: Surrounding) => {
    if (status === "open") probe();
    else if (status !== "closed" && what !== "offline" && !least) {
      // An attempt that began without a network may never end.
      drop(GIVEN_UP);
      connect();
    }
  };
  const stopListening = platform.listen(retry);
  connect();

  return {
    get status() {
      return status;
    },
    send(text) {
      const open = status === "open";
      if (open) socket?.send(text);
      return open;
    },
    retry,
    close: () => end(new WeirError("closed", "closed")),
  };
}
