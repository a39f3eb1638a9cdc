# Whatever is published on the subject reaches every client.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "nats"
  url    = env("BENCH_BROKER", "nats://127.0.0.1:4222")
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
