/** Responses that are not what they say. */
import { Buffer } from "node:buffer";
import { brotliCompressSync, gzipSync } from "node:zlib";
import { head, reply } from "../../support/http-api.ts";
import { type Case, refusal } from "./case.ts";
import { zipped } from "./zipped.ts";

const NO_HTTP = "failed: the response is not HTTP";
const JSON_TYPE = "content-type: application/json";

/** All of them. */
export const responseCases: readonly Case[] = [
  {
    name: "gzip",
    answer: () => zipped(gzipSync('{"a":1}'), "gzip", "application/json"),
    expected: { result: { a: 1 } },
  },
  {
    name: "brotli",
    answer: () => zipped(brotliCompressSync('{"a":1}'), "br", "application/json"),
    expected: { result: { a: 1 } },
  },
  {
    name: "an encoding that nobody asked for",
    answer: () => zipped(Buffer.from("abc"), "rot13"),
    expected: {
      error: 'was answered in the encoding "rot13", which nobody asked for',
      status: 200,
    },
  },
  {
    name: "text that says it is gzip",
    answer: () => zipped(Buffer.from("some plain text"), "gzip"),
    expected: { error: "failed: its compression is damaged" },
  },
  { name: "204 with a body", answer: () => reply(204, "abc"), expected: { result: null } },
  { name: "an empty body", answer: () => reply(200), expected: { result: null } },
  {
    name: "JSON that is none",
    answer: () => reply(200, '{"a":', [JSON_TYPE]),
    expected: { error: "was answered with a body that is not valid JSON", status: 200 },
  },
  {
    name: "HTML that says it is JSON",
    answer: () => reply(200, "<html>", [JSON_TYPE]),
    expected: { error: "was answered with a body that is not valid JSON", status: 200 },
  },
  {
    name: "HTML of a proxy, with the status of an error, that says it is JSON",
    answer: () => reply(502, "<html>", [JSON_TYPE]),
    expected: refusal(502, "<html>"),
  },
  {
    name: "JSON that nests too deep",
    answer: () => reply(200, "[".repeat(65) + "]".repeat(65), [JSON_TYPE]),
    expected: { error: "was answered with a body that is nested deeper than 64", status: 200 },
  },
  {
    name: "JSON with a name that is a prototype elsewhere",
    answer: () => reply(200, '{"__proto__":{"a":1}}', ["content-type: application/hal+json"]),
    expected: { result: JSON.parse('{"__proto__":{"a":1}}') },
  },
  {
    name: "a byte order mark before JSON",
    answer: () => reply(200, "\ufeff{}", [JSON_TYPE]),
    expected: { result: {} },
  },
  {
    name: "Latin-1 that says so",
    answer: () => latin1("text/plain; charset=ISO-8859-1"),
    expected: { result: "é" },
  },
  {
    name: "Latin-1 that says it is UTF-8",
    answer: () => latin1("text/plain; charset=utf-8"),
    expected: { error: "was answered with a body that is not valid UTF-8", status: 200 },
  },
  {
    name: "a charset that nobody knows",
    answer: () => latin1('text/plain; charset="klingon"'),
    expected: {
      error: 'was answered with a body that is in the charset "klingon", which is not known',
      status: 200,
    },
  },
  {
    name: "bytes that are no text",
    answer: () => latin1("image/png"),
    expected: { result: "6Q==" },
  },
  {
    name: "no type at all",
    answer: () => head(200, ["content-length: 2"]) + "{}",
    expected: { result: "{}" },
  },
  { name: "no HTTP", answer: () => "SSH-2.0-OpenSSH_9\r\n\r\n", expected: { error: NO_HTTP } },
  {
    name: "a length that is no number",
    answer: () => head(200, ["content-length: abc"]) + "abc",
    expected: { error: NO_HTTP },
  },
  {
    name: "two lengths",
    answer: () => head(200, ["content-length: 3", "content-length: 4"]) + "abcd",
    expected: { error: NO_HTTP },
  },
  {
    name: "a status that is none of HTTP",
    answer: () => reply(999, "no"),
    expected: refusal(999, "no"),
  },
  {
    name: "404 with JSON",
    answer: () => reply(404, { code: "gone" }),
    expected: refusal(404, { code: "gone" }),
  },
  { name: "500 without a body", answer: () => reply(500), expected: refusal(500) },
  {
    name: "304 is no failure",
    answer: () => head(304),
    to: 'response = "full"',
    expected: { result: { status: 304, headers: {}, body: null } },
  },
];

function latin1(type: string): Buffer {
  return Buffer.from(`${head(200, [`content-type: ${type}`, "content-length: 1"])}\xe9`, "latin1");
}
