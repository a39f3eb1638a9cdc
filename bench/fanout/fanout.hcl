# Everything that a client sends goes to everyone in the room "r".

service {
  trace_ratio = env("BENCH_TRACE_RATIO", 1)
}

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
  path = "/ws"
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
