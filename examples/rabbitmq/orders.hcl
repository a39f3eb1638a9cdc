# The way of an order: the page publishes it, RabbitMQ keeps it in a queue, a flow consumes it, and the
# page shows each step. What cannot be packed becomes a dead letter.
#
#   page ──▶ "place" ──▶ exchange ──▶ queue ──▶ "pack" ──▶ page
#                                       └──▶ dead letters ──▶ "show dead letters" ──▶ page

# The page, and the connection that tells it what happens. It shares the port of page.hcl.
connector "watch" {
  type   = "websocket"
  port   = 3001
  path   = "/watch"
  static = "./public"
  client = "/weir.js"
}

# ── The broker ───────────────────────────────────────────────────────────────────────────────────

# A queue with a name: all instances of this service share its messages, each is delivered at least
# once, and it stays while no instance runs.
connector "packing" {
  type   = "mq"
  driver = constants.mq
  url    = constants.url

  exchange {
    name = constants.exchange
    type = "topic"
  }
  queue { name = constants.queue }
  publisher { mandatory = true } # an order that reaches no queue fails its flow

  # A message whose flow fails comes again twice, and then becomes a dead letter.
  consumer {
    dlq {
      max_retries = 2
      retry_delay = "2s"
    }
  }
}

# Takes the dead letters of the queue above. Its exchange has another name, so that it gets nothing
# else.
connector "dead" {
  type   = "mq"
  driver = constants.mq
  url    = constants.url

  exchange {
    name = "${constants.exchange}.dead"
    type = "topic"
  }
  queue { name = "${constants.queue}.dlq" }
  consumer {
    dlq { queue = "${constants.queue}.dead" }
  }
}

# A machine that is away: nothing listens on this port.
connector "machine" {
  type     = "http"
  base_url = "http://127.0.0.1:9"
  timeout  = "1s"
}

# ── Published ────────────────────────────────────────────────────────────────────────────────────

type "order" {
  item    = string({ enum = ["book", "lamp"] })
  address = string({ max_length = 100, default = "" })
}

flow "place" {
  from {
    connector = "watch"
    operation = "place"
  }
  validate { input = "order" }
  transform {
    id      = "uuid()"
    item    = "input.item"
    address = "input.address"
  }
  # It succeeds when RabbitMQ has confirmed the message: then the message is in the queue.
  to {
    connector = "packing"
    target    = "'order.placed'"
  }
  to {
    connector = "watch"
    operation = "broadcast"
    transform {
      id    = "output.id"
      item  = "output.item"
      stage = "'published'"
      at    = "now()"
    }
  }
  response { id = "output.id" }
}

# ── Consumed ─────────────────────────────────────────────────────────────────────────────────────

# What can be packed. Other data is never good later, so such an order becomes a dead letter at once.
type "parcel" {
  id      = string
  item    = string
  address = string({ min_length = 1 })
}

flow "pack" {
  from {
    connector = "packing"
    operation = "order.placed"
  }
  validate { input = "parcel" }
  to {
    connector = "watch"
    operation = "broadcast"
    transform {
      id    = "input.id"
      item  = "input.item"
      stage = "'consumed'"
      at    = "now()"
    }
  }
  # Lamps need the machine. While it is away, the flow fails, and the message comes again.
  to {
    connector = "machine"
    operation = "POST /lamps"
    when      = "input.item == 'lamp'"
  }
  to {
    connector = "watch"
    operation = "broadcast"
    transform {
      id    = "input.id"
      item  = "input.item"
      stage = "'packed'"
      at    = "now()"
    }
  }
}

# ── Dead letters ─────────────────────────────────────────────────────────────────────────────────

flow "show dead letters" {
  from {
    connector = "dead"
    operation = "#"
  }
  to {
    connector = "watch"
    operation = "broadcast"
    transform {
      id      = "input.id"
      item    = "input.item"
      stage   = "'dead'"
      at      = "now()"
      reason  = "input.headers['x-weir-reason']"
      retries = "input.headers['x-weir-retries']"
    }
  }
}

# ── Events of other programs ─────────────────────────────────────────────────────────────────────

# What publish.ts publishes, and page.hcl sends to its own clients.
flow "show updates" {
  from {
    connector = "rabbit"
    operation = "order.updated"
  }
  to {
    connector = "watch"
    operation = "broadcast"
    transform {
      update = "input.body"
      at     = "now()"
    }
  }
}
