// The token of this tab. It outlives a reload, and no other tab sees it.

const KEY = "token";

/** The token from before a reload; null without one. */
export const kept = () => sessionStorage.getItem(KEY);

/** Keeps the token for a reload. */
export const keep = (token) => sessionStorage.setItem(KEY, token);

/** Forgets the token. */
export const forget = () => sessionStorage.removeItem(KEY);

/** What the token says. Only the server can tell whether that is true. */
export function claimsOf(token) {
  const [, payload] = token.split(".");
  return JSON.parse(atob(payload.replaceAll("-", "+").replaceAll("_", "/")));
}
