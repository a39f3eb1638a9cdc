// The feed of orders: their newest states, and the command that changes one.

import { $, element, getJson, timeElement } from "./elements.js";

/** The newest state of each order, by id. */
const orders = new Map();

export async function loadOrders() {
  const rows = await getJson("/orders");
  for (const order of rows.reverse()) showOrder(order);
}

/** Shows an order at the top, unless a newer state is known. */
export function showOrder({ id, status, updated_at }) {
  const known = orders.get(id);
  if (known !== undefined && known.updated_at >= updated_at) return;
  known?.item.remove();
  const item = element("li");
  item.append(
    element("strong", id),
    " ",
    element("span", status, "status"),
    " ",
    timeElement(updated_at),
  );
  orders.set(id, { updated_at, item });
  $("orders").prepend(item);
  $("orders-count").textContent = orders.size;
  $("no-orders").hidden = true;
}

$("orders-panel").open = matchMedia("(min-width: 60rem)").matches;
$("curl").textContent = `curl --json '{"id":"A17","status":"packed"}' ${location.origin}/orders`;
$("copy").hidden = navigator.clipboard === undefined;
$("copy").addEventListener("click", async () => {
  await navigator.clipboard.writeText($("curl").textContent);
  $("copy").textContent = "Copied";
  setTimeout(() => $("copy").textContent = "Copy", 2000);
});
