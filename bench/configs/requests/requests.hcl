# A question is answered with three fields made of it.

service {
  trace_ratio = env("BENCH_TRACE_RATIO", 1)
}

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

flow "ask" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    order    = "input.id"
    customer = "input.customer"
    total    = "input.quantity * input.price"
  }
  response {
    order    = "output.order"
    customer = "output.customer"
    total    = "output.total"
  }
}
