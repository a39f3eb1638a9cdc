# What the examples of this folder embed. In a server of your own, that server listens: `port` and
# `host` do nothing, and every path is below the one where you mount the runtime.
connector "ws" {
  type   = "websocket"
  port   = 3000
  client = "/weir.js"
}

connector "api" {
  type = "rest"
  port = 3000
}

connector "events" {
  type   = "mq"
  driver = "memory"
}

# What a client says, all others hear.
flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector      = "ws"
    operation      = "broadcast"
    exclude_sender = true
  }
}

# curl --json '{"id":"A17","status":"packed"}' http://localhost:3000/orders
flow "update_order" {
  from {
    connector = "api"
    operation = "POST /orders"
  }
  to {
    connector = "events"
    target    = "order.updated"
  }
}

# The application can publish the same: runtime.publish("order.updated", { … })
flow "live_orders" {
  from {
    connector = "events"
    operation = "order.updated"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
