/** Redirects: within the host, elsewhere, for ever. */
import { type Answer, reply } from "../../support/http-api.ts";
import type { Case } from "./case.ts";

/** Redirects to a place; a path that ends with `/x` has not been redirected yet. */
const redirect = (status: number, to: string): Answer => ({ path, method, body, headers }) =>
  path === "/x"
    ? reply(status, "", [`location: ${to}`])
    : reply(200, { path, method, body, type: headers["content-type"] ?? null });

/** All of them. */
export const redirectCases: readonly Case[] = [
  ...[301, 302, 303, 307, 308].map((status): Case => ({
    name: `${status} within the host`,
    answer: redirect(status, "/y?a=1#b"),
    expected: { result: { path: "/y?a=1", method: "GET", body: "", type: null } },
    requests: 2,
  })),
  {
    name: "303 of a POST becomes a GET",
    answer: redirect(303, "y"),
    to: 'operation = "POST /x"',
    expected: { result: { path: "/y", method: "GET", body: "", type: null } },
    requests: 2,
  },
  ...[301, 302].map((status): Case => ({
    name: `${status} of a POST would lose what was posted`,
    answer: redirect(status, "y"),
    to: 'operation = "POST /x"',
    expected: {
      error: `was redirected with the status ${status}, which is a GET for a POST; ` +
        "307 and 308 repeat it",
      status,
    },
  })),
  ...[307, 308].map((status): Case => ({
    name: `${status} of a POST stays one`,
    answer: redirect(status, "/y"),
    to: 'operation = "POST /x"',
    expected: {
      result: { path: "/y", method: "POST", body: "{}", type: "application/json" },
    },
    requests: 2,
  })),
  {
    name: "a redirect without a place",
    answer: () => reply(302, "where?"),
    expected: { error: "was answered with the status 302", status: 302, body: "where?" },
  },
  {
    name: "a redirect to itself for ever",
    answer: () => reply(302, "", ["location: /x"]),
    expected: { error: "was redirected more than 5 times", status: 302 },
    requests: 6,
  },
  ...[
    ["http://other.example/y?secret=1", "http://other.example"],
    ["//other.example:81/y", "http://other.example:81"],
    ["https://127.0.0.1/y", "https://127.0.0.1"],
    ["http://me:it@other.example/", "http://other.example"],
    ["file:///etc/passwd", 'the scheme "file"'],
    ["javascript:alert(1)", 'the scheme "javascript"'],
    ["data:text/plain,a", 'the scheme "data"'],
  ].map(([to, where]): Case => ({
    name: `a redirect to ${to}`,
    answer: redirect(302, to),
    expected: {
      error: `was redirected to ${where}; redirects are followed within URL alone`,
      status: 302,
    },
  })),
  {
    name: "a redirect to what is no URL",
    answer: redirect(302, "http://[/"),
    expected: { error: "was redirected to what is not a URL", status: 302 },
  },
];
