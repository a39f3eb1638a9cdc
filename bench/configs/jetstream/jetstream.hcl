# Each message of the stream goes through a flow and is acked.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "nats"
  url    = env("BENCH_BROKER", "nats://127.0.0.1:4222")

  stream {
    name     = env("BENCH_NAME", "weir-bench")
    subjects = [env("BENCH_NAME", "weir-bench")]
  }
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
