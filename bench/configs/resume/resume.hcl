# A room with history, and requests of other clients.

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

flow "echo" {
  from {
    connector = "ws"
    operation = "echo"
  }
  response {
    n = "input.n"
  }
}
