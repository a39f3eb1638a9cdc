// A WebSocket that reconnects, and requests with exactly one answer. The whole protocol is
// JSON objects in text frames: this file is all that a client needs.

const FIRST_DELAY = 500;
const LONGEST_DELAY = 30_000;
// A connection that died silently is detected by a ping without an answer.
const PING_EVERY = 25_000;
const PONG_WITHIN = 10_000;

/** The connection ended before the answer came: whether the request was served is not known. */
export class ConnectionLost extends Error {}

/** The server refused a frame; `code` is one of the protocol's. */
export class Refused extends Error {
  constructor({ code, message }) {
    super(message);
    this.code = code;
  }
}

/**
 * Connects, and reconnects while the page is open.
 *
 * `url()` returns the address for each attempt. `onState(state, retryInMs)` receives "connecting",
 * "open" and "waiting"; `onMessage(data, room)` receives the messages of the server.
 */
export class Connection {
  #options;
  #socket;
  #requests = new Map();
  #lastId = 0;
  #failures = 0;
  #retryTimer;
  #pingTimer;

  constructor(options) {
    this.#options = options;
    // When the network is back, or the page is visible again, there is no reason to wait.
    addEventListener("online", () => this.retry());
    document.addEventListener("visibilitychange", () => {
      if (document.visibilityState === "visible") this.retry();
    });
    this.#connect();
  }

  get isOpen() {
    return this.#socket?.readyState === WebSocket.OPEN;
  }

  /** Sends a frame; resolves with the data of its ack, rejects with Refused or ConnectionLost. */
  request(frame) {
    return new Promise((resolve, reject) => {
      if (!this.isOpen) return reject(new ConnectionLost("not connected"));
      const id = ++this.#lastId;
      this.#requests.set(id, { resolve, reject });
      this.#socket.send(JSON.stringify({ ...frame, id }));
    });
  }

  /** Connects now, if it was waiting. */
  retry() {
    if (this.#retryTimer !== undefined) this.#connect();
  }

  /** Reconnects to another address. */
  restart() {
    this.#drop();
    this.#failures = 0;
    this.#connect();
  }

  #connect() {
    clearTimeout(this.#retryTimer);
    this.#retryTimer = undefined;
    this.#options.onState("connecting");
    const socket = new WebSocket(this.#options.url());
    socket.onopen = () => {
      this.#failures = 0;
      this.#ping();
      this.#options.onState("open");
    };
    socket.onmessage = (event) => this.#receive(JSON.parse(event.data));
    socket.onclose = () => this.#lost();
    this.#socket = socket;
  }

  #receive({ type, id, data, room, code, message }) {
    const request = this.#requests.get(id);
    if (type === "pong") {
      this.#ping();
    } else if (request !== undefined) {
      this.#requests.delete(id);
      if (type === "ack") request.resolve(data);
      else request.reject(new Refused({ code, message }));
    } else if (type === "message") {
      this.#options.onMessage(data, room);
    }
  }

  /** Sends a ping after a while, and gives the connection up if no answer arrives. */
  #ping() {
    clearTimeout(this.#pingTimer);
    this.#pingTimer = setTimeout(() => {
      this.#socket.send(JSON.stringify({ type: "ping" }));
      this.#pingTimer = setTimeout(() => this.#lost(), PONG_WITHIN);
    }, PING_EVERY);
  }

  /** Each attempt waits twice as long, with jitter, so that clients do not all reconnect at once. */
  #lost() {
    this.#drop();
    const longest = Math.min(FIRST_DELAY * 2 ** this.#failures++, LONGEST_DELAY);
    const delay = longest * (0.5 + Math.random() / 2);
    this.#retryTimer = setTimeout(() => this.#connect(), delay);
    this.#options.onState("waiting", delay);
  }

  #drop() {
    clearTimeout(this.#pingTimer);
    this.#socket.onopen = this.#socket.onmessage = this.#socket.onclose = null;
    this.#socket.close();
    const requests = [...this.#requests.values()];
    this.#requests.clear();
    for (const { reject } of requests) reject(new ConnectionLost("the connection was lost"));
  }
}
