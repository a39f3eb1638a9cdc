# The server of Weir's client library. The program starts it with a port.
connector "ws" {
  type = "websocket"
  host = "127.0.0.1"
  port = env("BENCH_PORT")

  room "*" {
    history {
      size = 1000
    }
  }
}

flow "say" {
  from {
    connector = "ws"
    operation = "say"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
    transform {
      n = "input.n"
    }
  }
  response {
    n = "input.n"
  }
}

flow "add" {
  from {
    connector = "ws"
    operation = "add"
  }
  dedupe {
    key = "input.message_id"
    ttl = "10m"
  }
  to {
    connector = "ws"
    operation = "send_to_room"
    target    = "input.room"
    transform {
      n = "input.n"
    }
  }
  response {
    n = "input.n"
  }
}
