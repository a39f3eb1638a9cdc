# Whatever is published to the channel reaches every client.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "redis"
  url    = env("BENCH_BROKER", "redis://127.0.0.1:6379")
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
