// The page: signs a user in, connects with the token, renews it, and shows what the server says.

import { connect } from "/weir.js";
import { showEvent } from "./events.js";
import { $, answer, ask, showStatus } from "./page.js";
import { claimsOf, forget, keep, kept } from "./token.js";
import { trials } from "./trials.js";

/** Undefined while nobody is signed in. */
let weir;
let token = kept();

if (token !== null) enter();
showUser();
$("no-events").hidden = token !== null;
// Hidden until here, so that nothing moves when a token was kept.
$("page").hidden = false;
setInterval(showExpiry, 1000);

$("retry").addEventListener("click", () => weir?.retry());

$("sign-in").addEventListener("submit", async (event) => {
  event.preventDefault();
  const wanted = {
    name: $("name").value,
    role: $("role").value,
    seconds: Number($("seconds").value),
  };
  try {
    use((await ask("/tokens", wanted)).token);
    answer("signed", "");
    enter();
  } catch ({ message }) {
    answer("signed", message, "danger");
  }
});

$("sign-out").addEventListener("click", () => weir.close());

$("notification").addEventListener("submit", async (event) => {
  event.preventDefault();
  try {
    const to = $("to").value;
    const { recipients } = await weir.request("notify", { to, text: $("text").value });
    if (recipients > 0) answer("sent", "Sent.", "success");
    else answer("sent", `${to} is not connected.`, "warning");
  } catch ({ code, message }) {
    answer("sent", `${code}: ${message}`, "danger");
  }
});

for (const button of document.querySelectorAll("[data-trial]")) {
  button.addEventListener("click", async () => {
    button.disabled = true;
    await trials[button.dataset.trial]();
    button.disabled = false;
  });
}

/** Connects with the token. */
function enter() {
  const client = connect("/ws", { token: nextToken });
  weir = client;
  client.on("status", (status, reason) => {
    showStatus(status, reason);
    if (status === "open") showEvent("connected", "success", `as ${claimsOf(token).sub}`);
    if (status === "waiting") {
      showEvent(reason.code === "unauthorized" ? "refused" : "lost", "warning", reason.message);
    }
    if (status === "closed") leave(reason);
  });
  client.on("message", ({ joined, from, text }) => {
    if (joined === undefined) showEvent("message", "info", `${from}: ${text}`);
    else showEvent("joined", "info", joined);
  });
  // A renewed token that the server refuses.
  client.on("error", ({ code, message }) => showEvent("refused", "danger", `${code}: ${message}`));
  showUser();
}

/** The library asks for a token before each connection, and again before the token expires. */
async function nextToken() {
  if (weir?.status === "open" && $("renew").checked) {
    use((await weir.request("renew")).token);
    showEvent("renewed", "success", "the connection goes on with the next token");
  }
  return token;
}

/** There will be no other connection: the user has signed out, or the server has refused the token. */
function leave({ code, message }) {
  weir = undefined;
  use(null);
  if (code === "closed") {
    showStatusOf("offline", "Signed out");
    showEvent("signed out", "offline", "the page has forgotten the token");
  } else {
    showStatusOf("danger", "Refused");
    showEvent("refused", "danger", `${code}: ${message}`);
    answer("signed", `The server has refused the token: ${message}. Sign in again.`, "danger");
  }
  showUser();
}

function use(next) {
  token = next;
  if (token === null) forget();
  else keep(token);
  showExpiry();
}

function showStatusOf(tone, text) {
  $("state").dataset.tone = tone;
  $("state").textContent = text;
}

function showUser() {
  const isIn = weir !== undefined;
  $("signed-out").hidden = isIn;
  for (const id of ["signed-in", "notify", "jump"]) $(id).hidden = !isIn;
  if (!isIn) return;
  const { sub, role } = claimsOf(token);
  $("user").textContent = sub;
  $("claim").textContent = role;
  showExpiry();
}

function showExpiry() {
  if (token === null) return;
  const left = Math.ceil(claimsOf(token).exp - Date.now() / 1000);
  const minutes = left < 60 ? "" : `${Math.floor(left / 60)} min `;
  $("expires").textContent = left > 0 ? `in ${minutes}${left % 60} s` : "now";
}
