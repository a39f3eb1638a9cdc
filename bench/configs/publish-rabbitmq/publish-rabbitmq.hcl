# The ack of each message says that RabbitMQ has confirmed it.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "broker" {
  type   = "mq"
  driver = "rabbitmq"
  url    = env("BENCH_BROKER", "amqp://guest:guest@127.0.0.1")

  exchange {
    name    = env("BENCH_NAME", "weir-bench")
    durable = false
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
