# The ack of each message says that it is in the stream.

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
}

flow "publish" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "broker"
    target    = env("BENCH_NAME", "weir-bench")
  }
}
