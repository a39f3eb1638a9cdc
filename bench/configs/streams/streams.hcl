# Everything that a client sends goes to everyone in the room "r", over WebSockets and streams.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
  path = "/ws"
  sse  = "/events"
}

flow "fanout" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "r"
  }
}
