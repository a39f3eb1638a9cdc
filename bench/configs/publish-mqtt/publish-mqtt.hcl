# The ack of each message says that the broker has it.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type = "mqtt"
  url  = env("BENCH_BROKER", "mqtt://127.0.0.1:1883")
}

flow "publish" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "broker"
    target    = env("BENCH_NAME", "weir-bench")
    qos       = 1
  }
}
