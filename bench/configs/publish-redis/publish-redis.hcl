# The ack of each message says that it is in the stream.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "redis"
  url    = env("BENCH_BROKER", "redis://127.0.0.1:6379")

  publisher {
    mode = "stream"
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
