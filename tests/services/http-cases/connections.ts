/** Connections that break, stall or never end. */
import { Buffer } from "node:buffer";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { type Asked, head, reply } from "../../support/http-api.ts";
import { type Case, refusal } from "./case.ts";
import { zipped } from "./zipped.ts";

const SHORT = 'timeout = "150ms"';
const LATE = "took longer than 150 ms";
const LOST = "failed: the connection was lost";
const TOO_LARGE = "was answered with more than 1000 bytes (max_response_size)";
const HEAD_TOO_LARGE = "failed: the head of the response is too large";
const LIMIT = "max_response_size = 1000";
const chunked = head(200, ["transfer-encoding: chunked", "content-type: text/plain"]);

/** Writes without end, as fast as the other side reads. */
function endless({ socket }: Asked, start: string, more: () => string): void {
  socket.write(start);
  const go = () => {
    while (!socket.destroyed && socket.write(more()));
  };
  socket.on("drain", go);
  go();
}

/** Writes some text, and then resets the connection. */
function reset({ socket }: Asked, text: string): void {
  if (text === "") return void socket.resetAndDestroy();
  socket.write(text);
  setTimeout(() => socket.resetAndDestroy(), 20);
}

/** Writes some text, and then ends the connection. */
function end({ socket }: Asked, text: string): void {
  socket.end(text);
}

/** All of them. */
export const connectionCases: readonly Case[] = [
  { name: "reset before the head", answer: (asked) => reset(asked, ""), expected: { error: LOST } },
  { name: "end before the head", answer: (asked) => end(asked, ""), expected: { error: LOST } },
  {
    name: "reset in the head",
    answer: (asked) => reset(asked, "HTTP/1.1 200 OK\r\ncontent-le"),
    expected: { error: LOST },
  },
  {
    name: "reset in the body",
    answer: (asked) => reset(asked, head(200, ["content-length: 10"]) + "abc"),
    expected: { error: LOST },
  },
  {
    name: "end in the body: the declared length is too long",
    answer: (asked) => end(asked, head(200, ["content-length: 10"]) + "abc"),
    expected: { error: LOST },
  },
  {
    name: "end in a chunk",
    answer: (asked) => end(asked, `${chunked}5\r\nabc`),
    expected: { error: LOST },
  },
  {
    name: "end between chunks",
    answer: (asked) => end(asked, `${chunked}3\r\nabc\r\n`),
    expected: { error: LOST },
  },
  {
    name: "the declared length is too short: what is behind it is not read",
    answer: () => head(200, ["content-length: 3"]) + "abcdef",
    expected: { result: "abc" },
  },
  {
    name: "no length: the body ends with the connection",
    answer: (asked) => end(asked, head(200) + "abc"),
    expected: { result: "abc" },
  },
  {
    name: "stall before the head",
    answer: () => "",
    connector: SHORT,
    expected: { error: LATE },
  },
  {
    name: "stall in the head",
    answer: () => "HTTP/1.1 200 OK\r\n",
    connector: SHORT,
    expected: { error: LATE },
  },
  {
    name: "stall in the body",
    answer: () => head(200, ["content-length: 10"]) + "abc",
    connector: SHORT,
    expected: { error: LATE },
  },
  {
    name: "stall between chunks",
    answer: () => `${chunked}3\r\nabc\r\n`,
    connector: SHORT,
    expected: { error: LATE },
  },
  {
    name: "stall in the body of an error: the status is known",
    answer: () => head(500, ["content-length: 10"]) + "abc",
    connector: SHORT,
    expected: refusal(500),
  },
  {
    name: "a declared length over the limit",
    answer: () => head(200, ["content-length: 1001"]),
    connector: LIMIT,
    expected: { error: TOO_LARGE, status: 200 },
  },
  {
    name: "a body at the limit",
    answer: () => reply(200, "a".repeat(1000)),
    connector: LIMIT,
    expected: { result: "a".repeat(1000) },
  },
  {
    name: "an endless body",
    answer: (asked) => endless(asked, head(200), () => "a".repeat(10_000)),
    connector: LIMIT,
    expected: { error: TOO_LARGE, status: 200 },
  },
  {
    name: "an endless body of an error",
    answer: (asked) => endless(asked, head(503), () => "a".repeat(10_000)),
    connector: LIMIT,
    expected: refusal(503),
  },
  {
    name: "endless headers",
    answer: (asked) =>
      endless(asked, "HTTP/1.1 200 OK\r\n", () => `x-${Math.random()}: ${"a".repeat(1000)}\r\n`),
    // Bun counts them, and then takes them for nonsense.
    expected: { error: "Bun" in globalThis ? "failed: the response is not HTTP" : HEAD_TOO_LARGE },
  },
  {
    name: "an endless header",
    answer: (asked) => endless(asked, "HTTP/1.1 200 OK\r\nx: ", () => "a".repeat(10_000)),
    expected: { error: HEAD_TOO_LARGE },
  },
  {
    name: "a bomb in gzip",
    answer: () => zipped(gzipSync(Buffer.alloc(20_000_000)), "gzip"),
    connector: LIMIT,
    expected: { error: TOO_LARGE, status: 200 },
  },
  {
    name: "a bomb in brotli",
    answer: () => zipped(brotliCompressSync(Buffer.alloc(5_000_000)), "br"),
    connector: LIMIT,
    expected: { error: TOO_LARGE, status: 200 },
  },
];
