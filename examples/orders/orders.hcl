# Takes the shop's order events to the users' connections.

service {
  name    = "orders"
  version = "1.0.0"
}

constants {
  order_events = ["order.created", "order.paid", "order.shipped"]
  # An event that was delayed must not turn a status back.
  progress     = { created = 1, paid = 2, shipped = 3 }
  shop_secret  = env("SHOP_SECRET")
}

connector "ws" {
  type = "websocket"
  port = env("PORT", 3000)
  path = "/ws"
  auth {
    jwt {
      secret = env("JWT_SECRET")
    }
  }
}

connector "api" {
  type = "rest"
  port = env("PORT", 3000)
  auth {
    jwt {
      secret = env("JWT_SECRET")
    }
  }
}

connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "./data/orders.db"
  migrations = "./migrations"
}

connector "shop" {
  type   = "mq"
  driver = env("MQ", "memory")
  url    = env("AMQP_URL", "amqp://guest:guest@localhost")
  exchange {
    name = "shop"
  }
  queue {
    name = "notifications"
  }
  consumer {
    prefetch = 1 # one after the other: the events of a user keep their order
    dlq {
      exchange    = "shop.dead"
      queue       = "notifications.dlq"
      max_retries = 2 # three tries in all
      retry_delay = "1s"
    }
  }
}

# The dead letters of "shop". What is not JSON, or cannot be stored for ten minutes, stays in a queue
# of its own.
connector "graveyard" {
  type   = "mq"
  driver = env("MQ", "memory")
  url    = env("AMQP_URL", "amqp://guest:guest@localhost")
  exchange {
    name = "shop.dead"
  }
  queue {
    name = "notifications.dlq"
  }
  consumer {
    dlq {
      queue       = "notifications.dlq.unreadable"
      max_retries = 60
      retry_delay = "10s"
    }
  }
}

# ---------------------------------------------------------------- shapes

type "order_line" {
  sku   = string({ min_length = 1, max_length = 64 })
  count = integer({ min = 1, max = 10000 })
  price = number({ min = 0, max = 1000000 })
}

type "address" {
  additional = true
  street     = string({ max_length = 200 })
  city       = string({ max_length = 200 })
}

type "order_event" {
  event_id = string({ min_length = 1, max_length = 64 })
  user_id  = string({ min_length = 1, max_length = 64 })
  order_id = string({ min_length = 1, max_length = 64 })
  lines    = array(order_line, { min_length = 1, max_length = 200 })
  address  = address({ required = false })
}

type "posted_event" {
  type     = string({ enum = ["order.created", "order.paid", "order.shipped"] })
  event_id = string({ min_length = 1, max_length = 64 })
  user_id  = string({ min_length = 1, max_length = 64 })
  order_id = string({ min_length = 1, max_length = 64 })
  lines    = array(order_line, { min_length = 1, max_length = 200 })
  address  = address({ required = false })
}

type "order_search" {
  status = string({ enum = ["created", "paid", "shipped"], required = false })
  limit  = integer({ min = 1, max = 100, default = 20 })
}

# Without a type, an id with a NUL character is an error 500.
type "order_path" {
  id = string({ min_length = 1, max_length = 64 })
}

type "replay" {
  id = integer({ min = 1 })
}

# ---------------------------------------------------------------- events of the shop

flow "order event" {
  from {
    connector = "shop"
    operation = "order.*"
    filter    = "input.routing_key in constants.order_events"
  }
  validate {
    input = "order_event"
  }
  step "known" {
    connector = "db"
    query     = "SELECT user_id, status FROM orders WHERE order_id = :order_id"
    params    = { order_id = "input.order_id" }
  }
  reject {
    when    = "step.known != null && step.known.user_id != input.user_id"
    code    = "order_of_another_user"
    message = "the order belongs to another user"
  }
  transform {
    event_id   = "input.event_id"
    user_id    = "input.user_id"
    order_id   = "input.order_id"
    status     = "replace(input.routing_key, 'order.', '')"
    total      = "math.round(sum(input.lines.map(line, line.count * line.price)) * 100) / 100.0"
    line_count = "size(input.lines)"
    total_text = "format_number(output.total, 2)"
  }
  dedupe {
    key   = "input.event_id"
    ttl   = "30d"
    store = "db"
  }

  # The order, its lines and the inbox: all or nothing.
  to {
    connector = "db"
    operation = "UPSERT"
    target    = "orders"
    key       = "order_id"
    atomic    = true
    transform {
      order_id   = "payload.order_id"
      user_id    = "payload.user_id"
      status     = "step.known != null && constants.progress[step.known.status] > constants.progress[payload.status] ? step.known.status : payload.status"
      total      = "payload.total"
      address    = "input.address"
      updated_at = "now()"
    }
  }
  to {
    connector = "db"
    operation = "DELETE"
    target    = "lines"
    key       = "order_id"
    atomic    = true
    transform {
      order_id = "payload.order_id"
    }
  }
  to {
    each      = "input.lines"
    connector = "db"
    target    = "lines"
    atomic    = true
    transform {
      order_id = "payload.order_id"
      position = "index"
      sku      = "item.sku"
      count    = "item.count"
      price    = "item.price"
    }
  }
  to {
    connector = "db"
    operation = "UPSERT"
    target    = "inbox"
    key       = "event_id"
    atomic    = true
  }

  # The inbox keeps what reached no connection. Nothing is lost if the process ends in between.
  to "sent" {
    connector = "ws"
    operation = "send_to_user"
    target    = "payload.user_id"
    frame     = "order"
    transform {
      event_id   = "payload.event_id"
      order_id   = "payload.order_id"
      status     = "payload.status"
      total      = "payload.total"
      line_count = "payload.line_count"
      total_text = "payload.total_text"
    }
  }
  to {
    when      = "results.sent.recipients > 0"
    connector = "db"
    operation = "DELETE"
    target    = "inbox"
    key       = "event_id"
    transform {
      event_id = "payload.event_id"
    }
  }
}

# ---------------------------------------------------------------- the user connects

flow "inbox" {
  from {
    connector = "ws"
    operation = "connect"
  }
  step "waiting" {
    connector = "db"
    query     = "SELECT id, event_id, order_id, status, total, line_count, total_text FROM inbox WHERE user_id = :user ORDER BY id"
    params    = { user = "client.user_id" }
    rows      = "all"
  }
  to "missed" {
    each      = "step.waiting"
    connector = "ws"
    operation = "send_to_client"
    target    = "client.id"
    frame     = "order"
    transform {
      event_id   = "item.event_id"
      order_id   = "item.order_id"
      status     = "item.status"
      total      = "item.total"
      line_count = "item.line_count"
      total_text = "item.total_text"
      missed     = "true"
    }
  }
  to {
    each      = "step.waiting"
    when      = "results.missed.recipients > 0"
    connector = "db"
    operation = "DELETE"
    target    = "inbox"
    key       = "id"
    transform {
      id = "item.id"
    }
  }
  to {
    connector = "ws"
    operation = "send_to_client"
    target    = "client.id"
    frame     = "inbox_done"
    transform {
      number = "size(step.waiting)"
    }
  }
}

# ---------------------------------------------------------------- dead letters

flow "dead letter" {
  from {
    connector = "graveyard"
    operation = "#"
  }
  to "stored" {
    connector = "db"
    target    = "dead_letters"
    transform {
      routing_key = "input.routing_key"
      reason      = "input.headers.`x-weir-reason`"
      body        = "to_json(input.body)"
      died_at     = "now()"
    }
  }
  to {
    connector = "ws"
    operation = "broadcast"
    frame     = "dead_letter"
    filter    = "client.claims.role == 'operator'"
    transform {
      id          = "results.stored.id"
      routing_key = "results.stored.routing_key"
      reason      = "results.stored.reason"
      died_at     = "results.stored.died_at"
      event       = "input.body"
    }
  }
}

flow "replay" {
  from {
    connector = "ws"
    operation = "replay"
  }
  accept {
    when = "client.claims.role == 'operator'"
  }
  validate {
    input = "replay"
  }
  step "letter" {
    connector = "db"
    query     = "SELECT id, routing_key, body FROM dead_letters WHERE id = :id"
    params    = { id = "input.id" }
  }
  reject {
    when    = "step.letter == null"
    code    = "no_such_dead_letter"
    message = "no such dead letter"
  }
  # A list of one event: with each, the event itself is what is published.
  to {
    each      = "[json(step.letter.body)]"
    connector = "shop"
    target    = "step.letter.routing_key"
  }
  to {
    connector = "db"
    operation = "DELETE"
    target    = "dead_letters"
    key       = "id"
    transform {
      id = "step.letter.id"
    }
  }
  response {
    id = "step.letter.id"
  }
}

flow "forget old dead letters" {
  when = "0 3 * * *"
  to {
    connector = "db"
    query     = "DELETE FROM dead_letters WHERE died_at < :before"
    params    = { before = "now() - duration('30d')" }
  }
}

# ---------------------------------------------------------------- REST

flow "my orders" {
  from {
    connector = "api"
    operation = "GET /orders"
  }
  validate {
    input = "order_search"
  }
  step "orders" {
    connector = "db"
    query     = <<-SQL
      SELECT order_id, status, total, updated_at FROM orders
      WHERE user_id = :user AND (:status IS NULL OR status = :status)
      ORDER BY updated_at DESC, order_id LIMIT :limit
    SQL
    params    = { user = "client.user_id", status = "input.status", limit = "input.limit" }
    rows      = "all"
  }
  response {
    orders = "step.orders"
  }
}

flow "my order" {
  from {
    connector = "api"
    operation = "GET /orders/:id"
  }
  validate {
    input = "order_path"
  }
  step "order" {
    connector = "db"
    query     = "SELECT order_id, status, total, address, updated_at FROM orders WHERE order_id = :id AND user_id = :user"
    params    = { id = "input.id", user = "client.user_id" }
  }
  reject {
    when    = "step.order == null"
    code    = "no_such_order"
    status  = 404
    message = "no such order"
  }
  step "lines" {
    connector = "db"
    query     = "SELECT sku, count, price FROM lines WHERE order_id = :id ORDER BY position"
    params    = { id = "step.order.order_id" }
    rows      = "all"
  }
  response {
    order_id   = "step.order.order_id"
    status     = "step.order.status"
    total      = "step.order.total"
    total_text = "format_number(step.order.total, 2)"
    address    = "step.order.address == null ? null : json(step.order.address)"
    updated_at = "step.order.updated_at"
    lines      = "step.lines"
  }
}

flow "post event" {
  from {
    connector = "api"
    operation = "POST /events"
    public    = true
  }
  validate {
    input = "posted_event"
  }
  reject {
    when    = "input.headers.`x-signature` != hmac_sha256(constants.shop_secret, input.event_id + input.user_id)"
    code    = "bad_signature"
    status  = 401
    message = "the signature does not fit the event"
  }
  transform {
    event_id = "input.event_id"
    user_id  = "input.user_id"
    order_id = "input.order_id"
    lines    = "input.lines"
    address  = "input.address"
  }
  dedupe {
    key   = "input.event_id"
    ttl   = "30d"
    store = "db"
  }
  to {
    connector = "shop"
    target    = "input.type"
  }
  response {
    event_id    = "input.event_id"
    accepted_at = "now()"
  }
}
