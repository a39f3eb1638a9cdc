# The same as bench/configs/instances, where the room has a history.

service {
  name = env("BENCH_NAME")
}

connector "bus" {
  type   = "mq"
  driver = env("BENCH_DRIVER")
  url    = env("BENCH_BROKER")
}

connector "ws" {
  type      = "websocket"
  port      = env("BENCH_PORT", 3001)
  path      = "/ws"
  backplane = "bus"
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
