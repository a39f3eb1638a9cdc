/**
 * A program with one of the libraries, on Node: `program.ts LIBRARY JOB URL OPTIONS`. Each line that it
 * writes is a JSON object with the time of day, and so is each line that it reads.
 */
import process from "node:process";
import { createInterface } from "node:readline";
import type { OpenChat } from "./chat/chat.ts";
import type { Connect, LibraryOptions } from "./libraries/library.ts";

/** What the program writes, beside the time. */
export type Told =
  | { readonly event: "ready" }
  | { readonly event: "message"; readonly n: number }
  | { readonly event: "reload" }
  | { readonly event: "answered"; readonly n: number }
  | { readonly event: "rejected"; readonly n: number; readonly reason: string }
  | { readonly event: "done" }
  | { readonly event: "open" | "lost" | "over"; readonly reason: string }
  | { readonly event: "crowd"; readonly open: number };

/** What the program reads. */
export type Order =
  /** Asks, and tells how that ended. */
  | { readonly ask: number }
  /** Asks for the numbers from 0, many at a time. */
  | { readonly numbers: number };

/** How many requests are on their way at once. */
const WORKERS = 50;
/** How many clients of a crowd connect at once at the start. */
const GROUP = 50;

const [, , library, job, url, json = "{}"] = process.argv;
const options = { url, room: "a", ...JSON.parse(json) };

function tell(told: Told): void {
  process.stdout.write(`${JSON.stringify({ at: Date.now(), ...told })}\n`);
}

async function ask(send: (n: number) => Promise<unknown>, n: number): Promise<void> {
  try {
    await send(n);
    tell({ event: "answered", n });
  } catch (error) {
    const { code, message } = error as {
      readonly code?: string | number;
      readonly message: string;
    };
    tell({ event: "rejected", n, reason: `${code ?? ""} ${message}`.trim() });
  }
}

async function obey(send: (n: number) => Promise<unknown>, order: Order): Promise<void> {
  if ("ask" in order) return await ask(send, order.ask);
  let next = 0;
  const work = async () => {
    while (next < order.numbers) await ask(send, next++);
  };
  await Promise.all(Array.from({ length: WORKERS }, work));
  tell({ event: "done" });
}

function listen(send: (n: number) => Promise<unknown>): void {
  createInterface({ input: process.stdin }).on("line", (line) => void obey(send, JSON.parse(line)));
}

async function chat(): Promise<void> {
  const { openChat }: { openChat: OpenChat } = await import(`./chat/${library}.js`);
  const { say } = await openChat(
    url,
    options.room,
    ({ n }) => tell({ event: "message", n }),
    () => tell({ event: "reload" }),
  );
  listen((n) => say({ n }));
  tell({ event: "ready" });
}

async function connection(): Promise<void> {
  const { connect } = await importLibrary();
  const { ask: send } = connect({
    ...options,
    tell: (event: "open" | "lost" | "over", reason: string) => tell({ event, reason }),
  });
  listen(send);
}

/** Many clients. It tells how many of them are open, at most every 20 ms. */
async function crowd(): Promise<void> {
  const { connect } = await importLibrary();
  const isOpen: boolean[] = [];
  let told = -1;
  const count = () => isOpen.filter((open) => open).length;
  setInterval(() => {
    if (count() !== told) tell({ event: "crowd", open: told = count() });
  }, 20);
  for (let n = 0; n < options.count; n++) {
    const opened = new Promise<void>((resolve) => {
      connect(
        {
          ...options,
          tell: (status: string) => {
            isOpen[n] = status === "open";
            if (isOpen[n]) resolve();
          },
        } satisfies LibraryOptions,
      );
    });
    if (n % GROUP === GROUP - 1) await opened;
  }
}

function importLibrary(): Promise<{ connect: Connect }> {
  return import(`./libraries/${library}.js`);
}

await ({ chat, connection, crowd } as Record<string, () => Promise<void>>)
  [job]();
