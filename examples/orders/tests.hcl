# Run with: weir test --env-file test.env

constants {
  # hmac_sha256("only-for-tests", "e1ada"); the secret is in test.env
  signature_e1 = "28da78eb17e03c02fc41f0647344e109061d8b48a782cef2e6cdfeee10d3fdae"

  two_lines = [{ sku = "TEA", count = 2, price = 3.5 }, { sku = "CUP", count = 1, price = 1200 }]
  one_line  = [{ sku = "TEA", count = 1, price = 4 }]
}

# ---------------------------------------------------------------- events

test "an event reaches all connections of its user, and nobody else" {
  client "phone" { user_id = "ada" }
  client "desk" { user_id = "ada" }
  client "bob" { user_id = "bob" }

  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.two_lines }
  }
  expect "phone" {
    type = "order"
    data = { event_id = "e1", order_id = "o1", status = "created", total = 1207, line_count = 2, total_text = "1,207.00", missed = null }
  }
  expect "desk" { type = "order" }
  expect "bob" { nothing = true }
  expect "db" {
    operation = "DELETE"
    target    = "inbox"
    data      = { event_id = "e1" }
  }

  given "api" {
    operation = "GET /orders/o1"
    user_id   = "ada"
  }
  expect "api" {
    status = 200
    data = {
      order_id   = "o1"
      status     = "created"
      total      = 1207
      total_text = "1,207.00"
      address    = null
      lines      = [{ sku = "TEA", count = 2, price = 3.5 }, { sku = "CUP", count = 1, price = 1200 }]
    }
  }
}

test "the same event twice has one effect" {
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "ada" {
    type  = "order"
    count = 1
  }
  expect "ada" { nothing = true }
  expect "db" {
    target = "orders"
    count  = 1
  }
}

test "later events move the status on, a late one does not turn it back" {
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.paid"
    data = {
      event_id = "e2", user_id = "ada", order_id = "o1", lines = constants.one_line
      address  = { street = "1 Main Street", city = "York", floor = 3 }
    }
  }
  given "shop" {
    operation = "order.created"
    data = {
      event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.two_lines
      address  = { street = "1 Main Street", city = "York", floor = 3 }
    }
  }
  given "api" {
    operation = "GET /orders/o1"
    user_id   = "ada"
  }
  expect "api" {
    data = { status = "paid", address = { street = "1 Main Street", city = "York", floor = 3 } }
  }
  given "shop" {
    operation = "order.shipped"
    data      = { event_id = "e3", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  given "api" {
    operation = "GET /orders/o1"
    user_id   = "ada"
  }
  expect "api" { data = { status = "shipped", lines = [{ sku = "TEA" }] } }
  expect "ada" { data = { status = "paid" } }
  expect "ada" { data = { status = "created" } }
  expect "ada" { data = { status = "shipped" } }
}

test "an event of another kind is not ours" {
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.praised"
    data      = { stars = 5 }
  }
  expect "ada" { nothing = true }
  expect "db" { nothing = true }
}

# ---------------------------------------------------------------- inbox

test "what a user missed arrives first, oldest first, and once" {
  client "ada" { user_id = "ada" }
  client "eve" { user_id = "eve" }

  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e2", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "eve" { nothing = true }

  given "ada" { operation = "connect" }
  expect "ada" {
    type = "order"
    data = { event_id = "e1", order_id = "o1", status = "created", total = 4, line_count = 1, total_text = "4.00", missed = true }
  }
  expect "ada" {
    type = "order"
    data = { event_id = "e2", status = "paid", missed = true }
  }
  expect "ada" {
    type = "inbox_done"
    data = { number = 2 }
  }

  given "ada" { operation = "disconnect" }
  given "ada" { operation = "connect" }
  expect "ada" {
    type = "inbox_done"
    data = { number = 0 }
  }
  expect "ada" { nothing = true }
}

test "the inbox keeps what could not be sent" {
  mock "ws" {
    operation = "send_to_client"
    returns   = { recipients = 0 }
    times     = 2
  }
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  given "ada" { operation = "connect" }
  given "ada" { operation = "disconnect" }
  given "ada" { operation = "connect" }
  expect "ada" { data = { event_id = "e1", missed = true } }
  expect "ada" { type = "inbox_done" }
  expect "ada" { nothing = true }
}

test "nobody connects without a token" {
  client "stranger" {}
  given "stranger" { operation = "connect" }
  expect "stranger" { status = 401 }
}

# ---------------------------------------------------------------- dead letters

test "a malformed event becomes a dead letter at once, and only operators hear of it" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  client "ada" { user_id = "ada" }
  client "clerk" { claims = { sub = "clerk", role = "clerk" } }

  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e1", order_id = "o1", lines = constants.one_line }
  }
  expect "shop" { error = "validation_failed" }
  expect "boss" {
    type = "dead_letter"
    data = {
      id          = 1
      routing_key = "order.paid"
      reason      = "validation_failed: flow \"order event\": the data is not a valid order_event: user_id is missing"
      died_at     = "2026-01-01T00:00:00.000Z"
      event       = { event_id = "e1", order_id = "o1" }
    }
  }
  expect "ada" { nothing = true }
  expect "clerk" { nothing = true }
  expect "db" {
    target = "dead_letters"
    data   = { routing_key = "order.paid" }
  }
}

test "a body that is no object becomes a dead letter at once" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.paid"
    data      = [1, 2]
  }
  expect "shop" { error = "validation_failed" }
  expect "boss" {
    type = "dead_letter"
    data = { event = [1, 2] }
  }
}

test "half a cup is a dead letter at once" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = [{ sku = "CUP", count = 1.5, price = 1 }] }
  }
  expect "shop" { error = "validation_failed" }
  expect "boss" { type = "dead_letter" }
}

test "an order does not change hands" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e2", user_id = "eve", order_id = "o1", lines = constants.one_line }
  }
  expect "shop" { error = "order_of_another_user" }
  expect "boss" {
    type = "dead_letter"
    data = { event = { event_id = "e2" } }
  }
}

test "an event that fails is tried three times, one second apart" {
  mock "db" {
    target = "orders"
    error  = "is away"
  }
  client "boss" { claims = { sub = "boss", role = "operator" } }
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  advance { by = "1s" }
  expect "boss" { nothing = true }
  advance { by = "999ms" }
  expect "boss" { nothing = true }
  advance { by = "1ms" }
  expect "boss" {
    type = "dead_letter"
    data = { routing_key = "order.created", died_at = "2026-01-01T00:00:02.000Z" }
  }
  expect "shop" {
    error = "flow_failed"
    count = 3
  }
  expect "ada" { nothing = true }
}

test "an event that fails once arrives a second later, once" {
  mock "db" {
    target = "lines"
    error  = "is full"
    times  = 1
  }
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "shop" { error = "flow_failed" }
  expect "ada" { nothing = true }
  # Nothing of the order is there: all or nothing.
  given "api" {
    operation = "GET /orders/o1"
    user_id   = "ada"
  }
  expect "api" { status = 404 }
  advance { by = "1s" }
  expect "ada" {
    type = "order"
    data = { event_id = "e1", status = "created" }
  }
  expect "ada" { nothing = true }
}

test "an operator replays a dead letter" {
  mock "db" {
    target = "orders"
    error  = "is away"
    times  = 3
  }
  client "boss" { claims = { sub = "boss", role = "operator" } }
  client "ada" { user_id = "ada" }
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  advance { by = "2s" }
  expect "shop" {
    error = "flow_failed"
    count = 3
  }
  expect "boss" { type = "dead_letter" }

  given "boss" {
    operation = "replay"
    data      = { id = 1 }
    id        = 7
  }
  expect "boss" {
    type = "ack"
    id   = 7
    data = { id = 1 }
  }
  expect "ada" {
    type = "order"
    data = { event_id = "e1", status = "created", total = 4 }
  }

  given "boss" {
    operation = "replay"
    data      = { id = 1 }
    id        = 8
  }
  expect "boss" {
    id    = 8
    error = "no_such_dead_letter"
  }
}

test "a dead letter that is still wrong comes back as a new one" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.paid"
    data      = ["nonsense"]
  }
  expect "shop" { error = "validation_failed" }
  expect "boss" {
    type = "dead_letter"
    data = { id = 1 }
  }
  given "boss" {
    operation = "replay"
    data      = { id = 1 }
  }
  expect "shop" { error = "validation_failed" }
  expect "boss" {
    type = "dead_letter"
    data = { id = 2, routing_key = "order.paid", event = ["nonsense"] }
  }
}

test "replay is for operators, and for numbers" {
  client "ada" { user_id = "ada" }
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "ada" {
    operation = "replay"
    data      = { id = 1 }
  }
  expect "ada" { error = "rejected" }
  given "boss" {
    operation = "replay"
    data      = { id = "1 OR 1=1" }
  }
  expect "boss" { error = "validation_failed" }
}

test "dead letters are forgotten after 30 days" {
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.paid"
    data      = {}
  }
  expect "shop" { error = "validation_failed" }
  advance { by = "29d" }
  given "shop" {
    operation = "order.paid"
    data      = {}
  }
  expect "shop" { error = "validation_failed" }
  advance { by = "2d" }
  expect "boss" {
    type  = "dead_letter"
    count = 2
  }
  given "boss" {
    operation = "replay"
    data      = { id = 1 }
  }
  expect "boss" { error = "no_such_dead_letter" }
  given "boss" {
    operation = "replay"
    data      = { id = 2 }
    id        = 1
  }
  expect "boss" { type = "ack" }
  expect "shop" { error = "validation_failed" }
}

test "a dead letter keeps its reason while the database is away" {
  mock "db" {
    target = "dead_letters"
    error  = "is away"
    times  = 1
  }
  client "boss" { claims = { sub = "boss", role = "operator" } }
  given "shop" {
    operation = "order.paid"
    data      = {}
  }
  expect "shop" { error = "validation_failed" }
  expect "graveyard" { error = "flow_failed" }
  advance { by = "30s" }
  expect "boss" { data = { reason = "validation_failed: flow \"order event\": the data is not a valid order_event: event_id is missing, user_id is missing, order_id is missing, lines is missing" } }
}

# ---------------------------------------------------------------- REST

test "a user lists the own orders" {
  given "shop" {
    operation = "order.created"
    data      = { event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  advance { by = "1s" }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e2", user_id = "ada", order_id = "o2", lines = constants.one_line }
  }
  advance { by = "1s" }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e3", user_id = "ada", order_id = "o3", lines = constants.one_line }
  }
  given "shop" {
    operation = "order.paid"
    data      = { event_id = "e4", user_id = "bob", order_id = "o4", lines = constants.one_line }
  }

  given "api" {
    operation = "GET /orders"
    user_id   = "ada"
  }
  expect "api" { data = { orders = [{ order_id = "o3" }, { order_id = "o2" }, { order_id = "o1", status = "created", total = 4 }] } }
  given "api" {
    operation = "GET /orders?status=paid&limit=1"
    user_id   = "ada"
  }
  expect "api" { data = { orders = [{ order_id = "o3", status = "paid" }] } }
  given "api" {
    operation = "GET /orders?status=paid&limit=10"
    user_id   = "ada"
  }
  expect "api" { data = { orders = [{ order_id = "o3" }, { order_id = "o2" }] } }
  given "api" {
    operation = "GET /orders?status=eaten"
    user_id   = "ada"
  }
  expect "api" {
    status = 422
    error  = "validation_failed"
  }
  given "api" {
    operation = "GET /orders?limit=1.5"
    user_id   = "ada"
  }
  expect "api" { status = 422 }
  given "api" {
    operation = "GET /orders?user_id=bob"
    user_id   = "ada"
  }
  expect "api" { status = 422 }
  given "api" { operation = "GET /orders" }
  expect "api" { status = 401 }

  given "api" {
    operation = "GET /orders/o4"
    user_id   = "ada"
  }
  expect "api" {
    status = 404
    error  = "no_such_order"
  }
  given "api" {
    operation = "GET /orders/%00"
    user_id   = "ada"
  }
  expect "api" { status = 422 }
  given "api" {
    operation = "GET /orders/o9"
    user_id   = "ada"
  }
  expect "api" {
    status = 404
    error  = "no_such_order"
  }
}

test "the shop's server posts an event, and a repetition gets the first answer" {
  client "ada" { user_id = "ada" }
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signature_e1 }
    data      = { type = "order.paid", event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "api" {
    status = 200
    data   = { event_id = "e1", accepted_at = "2026-01-01T00:00:00.000Z" }
  }
  expect "ada" {
    type = "order"
    data = { event_id = "e1", status = "paid" }
  }
  advance { by = "1m" }
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signature_e1 }
    data      = { type = "order.paid", event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "api" {
    status = 200
    data   = { event_id = "e1", accepted_at = "2026-01-01T00:00:00.000Z" }
  }
  expect "ada" { nothing = true }
  expect "shop" { count = 1 }
}

test "an event with a wrong signature, or without one, is not published" {
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signature_e1 }
    data      = { type = "order.paid", event_id = "e2", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "api" {
    status = 401
    error  = "bad_signature"
  }
  given "api" {
    operation = "POST /events"
    data      = { type = "order.paid", event_id = "e1", user_id = "ada", order_id = "o1", lines = constants.one_line }
  }
  expect "api" {
    status = 401
    error  = "bad_signature"
  }
  given "api" {
    operation = "POST /events"
    headers   = { x-signature = constants.signature_e1 }
    data      = { type = "order.eaten", event_id = "e1", user_id = "ada" }
  }
  expect "api" { status = 422 }
  expect "shop" { nothing = true }
}
