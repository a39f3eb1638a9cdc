/** Baseline: a room with Deno's own upgrade, one `send` for each member. */

interface Frame {
  readonly type: string;
  readonly id?: number;
  readonly data?: unknown;
}

const room = new Set<WebSocket>();
const port = Number(Deno.env.get("BENCH_PORT"));

Deno.serve({
  hostname: "127.0.0.1",
  port,
  onListen: () => console.log(`ready ${port}`),
}, (request) => {
  if (request.headers.get("upgrade") !== "websocket") return new Response(null, { status: 426 });
  const { socket, response } = Deno.upgradeWebSocket(request);
  socket.onmessage = (event) => {
    const frame = JSON.parse(event.data) as Frame;
    if (frame.type === "join_room") {
      room.add(socket);
      socket.send(JSON.stringify({ type: "ack", id: frame.id }));
    } else if (frame.type === "message") {
      const text = JSON.stringify({ type: "message", data: frame.data, room: "r" });
      for (const member of room) member.send(text);
    }
  };
  socket.onclose = () => room.delete(socket);
  // A client that is gone shows as "close" too.
  socket.onerror = () => {};
  return response;
});
