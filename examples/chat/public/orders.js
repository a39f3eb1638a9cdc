// The feed of orders: their newest states, and the command that changes one.

import { $, ask, badge, element, prepend, showCommand, timeElement } from "./page.js";

/** The newest state of each order, by id. */
const orders = new Map();

export async function loadOrders() {
  const rows = await ask("/orders");
  for (const order of rows.reverse()) showOrder(order);
  $("no-orders").hidden = orders.size > 0;
}

/** Shows an order at the top, unless a newer state is known. */
export function showOrder({ id, status, updated_at }) {
  const known = orders.get(id);
  if (known !== undefined && known.updated_at >= updated_at) return;
  known?.item.remove();
  const parts = [element("strong", id), badge(status, "info"), timeElement(updated_at)];
  const item = element("li", parts.flatMap((part) => [part, " "]));
  orders.set(id, { updated_at, item });
  prepend($("orders"), item);
  $("orders-count").textContent = orders.size;
  $("no-orders").hidden = true;
}

$("orders-panel").open = matchMedia("(min-width: 60rem)").matches;
showCommand(`curl --json '{"id":"A17","status":"packed"}' ${location.origin}/orders`);
