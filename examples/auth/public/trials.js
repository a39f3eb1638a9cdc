// Connections with bad tokens, which show what the server says about each.

import { connect } from "/weir.js";
import { showEvent } from "./events.js";
import { ask } from "./page.js";

/** By name: a connection that the server refuses. */
export const trials = {
  async expired() {
    await run("an expired token", async () => {
      const token = await tokenFor(1);
      // A second, and the rest of the one in which it was made.
      await new Promise((resolve) => setTimeout(resolve, 2000));
      return token;
    });
  },
  async changed() {
    await run("a changed token", async () => {
      const [head, , signature] = (await tokenFor(60)).split(".");
      const claims = { sub: "admin", role: "staff", exp: Date.now() / 1000 + 3600 };
      return [head, btoa(JSON.stringify(claims)).replaceAll("=", ""), signature].join(".");
    });
  },
  async missing() {
    await run("no token", () => Promise.resolve());
  },
};

async function tokenFor(seconds) {
  return (await ask("/tokens", { name: "trial", seconds })).token;
}

/** Connects, and shows how that ends. */
async function run(what, makeToken) {
  try {
    const { code, message } = await refusal(await makeToken());
    showEvent("refused", "danger", `With ${what}: ${code}, ${message}.`);
  } catch ({ message }) {
    showEvent("failed", "warning", message);
  }
}

/** Why the server refuses a token. A token that is text is tried once; a function would be asked again. */
function refusal(token) {
  return new Promise((resolve, reject) => {
    const weir = connect("/ws", { token });
    weir.on("status", (status, reason) => {
      if (status === "closed") return resolve(reason);
      if (status === "connecting") return;
      reject(new Error(reason?.message ?? "The server has not refused the connection."));
      weir.close();
    });
  });
}
