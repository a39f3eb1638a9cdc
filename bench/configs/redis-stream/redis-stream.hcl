# Each entry of the stream goes through a flow and is acked.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "redis"
  url    = env("BENCH_BROKER", "redis://127.0.0.1:6379")

  queue {
    name = env("BENCH_NAME", "weir-bench")
  }
}

flow "live" {
  from {
    connector = "broker"
    operation = env("BENCH_NAME", "weir-bench")
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
