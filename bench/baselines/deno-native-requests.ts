/** Baseline: Deno's own upgrade, each message parsed and answered. */
import { answerTo } from "./answer.ts";

const port = Number(Deno.env.get("BENCH_PORT"));

Deno.serve({
  hostname: "127.0.0.1",
  port,
  onListen: () => console.log(`ready ${port}`),
}, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = (event) => socket.send(answerTo(event.data));
  // A client that is gone shows as "close" too.
  socket.onerror = () => {};
  return response;
});
