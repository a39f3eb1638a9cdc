# Whatever is published to the exchange reaches every client.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "rabbit" {
  type   = "mq"
  driver = "rabbitmq"
  url    = env("BENCH_BROKER", "amqp://guest:guest@127.0.0.1")

  exchange {
    name    = env("BENCH_NAME", "weir-bench")
    durable = false
  }
}

flow "live" {
  from {
    connector = "rabbit"
    operation = "order.updated"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
