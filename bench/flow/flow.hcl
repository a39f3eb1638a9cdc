# Two ways to answer a message: an echo, and a flow that filters, validates, transforms and answers.

constants {
  port = env("BENCH_PORT", 3001)
}

connector "echo" {
  type = "websocket"
  port = constants.port
  path = "/echo"
}

connector "full" {
  type = "websocket"
  port = constants.port
  path = "/full"
}

flow "echo" {
  from {
    connector = "echo"
    operation = "message"
  }
  response {
    data = "input.data"
  }
}

type "order" {
  id       = id
  customer = string({ max_length = 80 })
  quantity = number({ min = 1 })
  price    = number({ min = 0 })
  note     = string({ required = false })
}

flow "full" {
  from {
    connector = "full"
    operation = "message"
    filter    = "input.quantity > 0 && input.customer != ''"
  }
  validate {
    input = "order"
  }
  transform {
    id       = "input.id"
    customer = "trim(input.customer)"
    total    = "input.quantity * input.price"
    note     = "default(input.note, 'none')"
    by       = "input.user_id"
  }
  response {
    id       = "output.id"
    customer = "output.customer"
    total    = "output.total"
    note     = "output.note"
    by       = "output.by"
  }
}
