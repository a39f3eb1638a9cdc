# Everything that a client sends goes to everyone in the room "r", on all instances of the service.

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
  max_rooms = 1000000
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
