# Whatever is published on the topic reaches every client.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type = "mqtt"
  url  = env("BENCH_BROKER", "mqtt://127.0.0.1:1883")
  qos  = 0
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
