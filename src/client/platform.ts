/** What the library needs of its surroundings. A test replaces it. */

/** A `WebSocket`, as far as the library uses it. */
export interface Socket {
  onopen: ((event: never) => void) | null;
  onmessage: ((event: never) => void) | null;
  onclose: ((event: never) => void) | null;
  /** Sends a text frame. */
  send(text: string): void;
  /** Starts the closing handshake. */
  close(code?: number): void;
}

/** What happens around a page. */
export type Surrounding = "online" | "offline" | "visible";

/** The clock, the sockets and the events of a runtime. Its functions need no `this`. */
export interface Platform {
  /** Opens a connection; throws for a subprotocol that is none. */
  open(url: string, protocols: string[]): Socket;
  /** Runs a task later; the result cancels it. */
  after(milliseconds: number, task: () => void): () => void;
  /** The time of day in milliseconds. It goes on while the machine sleeps. */
  now(): number;
  /** From 0 to 1. */
  random(): number;
  /** Tells what happens around the page; the result ends that. */
  listen(tell: (what: Surrounding) => void): () => void;
}

/** The longest time of `setTimeout`, in milliseconds: it runs at once what is later. */
const LONGEST = 2 ** 31 - 1;

/** A page as far as it exists here: only browsers have one. */
interface Page extends EventTarget {
  readonly visibilityState: string;
}

/** What every runtime has. */
export const platform: Platform = {
  open: (url, protocols) => new WebSocket(url, protocols),
  after(milliseconds, task) {
    const timer = setTimeout(task, Math.min(milliseconds, LONGEST));
    return () => clearTimeout(timer);
  },
  now: () => Date.now(),
  random: () => Math.random(),
  listen(tell) {
    const page = (globalThis as { readonly document?: Page }).document;
    const network = ({ type }: { readonly type: string }) => tell(type as Surrounding);
    const seen = () => page?.visibilityState === "visible" && tell("visible");
    // Node has no such events.
    const end = new AbortController();
    for (const event of ["online", "offline"] as const) {
      globalThis.addEventListener?.(event, network, end);
    }
    page?.addEventListener("visibilitychange", seen, end);
    return () => end.abort();
  },
};
