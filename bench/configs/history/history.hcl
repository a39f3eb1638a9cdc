# The same as bench/fanout, where the room has a history that nobody asks for.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
  path = "/ws"
  room "r" {
    history {
    }
  }
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
