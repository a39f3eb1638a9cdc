# Clients join and leave what they like; what one says in "target" reaches everyone there.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "target"
  }
}
