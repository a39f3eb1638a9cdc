# Everything that a client sends goes to everyone in the room "r", also if it is large.

connector "ws" {
  type             = "websocket"
  port             = env("BENCH_PORT", 3001)
  max_message_size = "1MB"

  slow_client {
    queue = "4MB"
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
