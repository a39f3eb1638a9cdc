# `weir test` runs these tests of page.hcl and orders.hcl. They need no broker.

test "a client's message becomes a row" {
  client "alice" { connector = "ws" }

  given "alice" {
    id   = 1
    data = { text = "hello" }
  }

  expect "db" {
    target = "messages"
    data   = { text = "hello" }
  }
  expect "alice" {
    type = "ack"
    id   = 1
  }
}

test "an order reaches every client" {
  client "alice" { connector = "ws" }
  client "bob" { connector = "ws" }

  given "rabbit" {
    operation = "order.updated"
    data      = { id = 7, status = "shipped" }
  }

  expect "alice" { data = { id = 7, status = "shipped" } }
  expect "bob" { data = { id = 7, status = "shipped" } }
}

test "an event of a room reaches its members" {
  client "alice" {
    connector = "ws"
    rooms     = ["orders"]
  }
  client "bob" {
    connector = "ws"
    rooms     = ["lobby"]
  }

  given "rabbit" {
    operation = "room.event"
    data      = { room = "orders", id = 7 }
  }

  expect "alice" {
    room = "orders"
    data = { room = "orders", id = 7 }
  }
  expect "bob" { nothing = true }
}

test "a message with a column that the table does not have is refused, and nothing is written" {
  client "alice" { connector = "ws" }

  given "alice" {
    id   = 2
    data = { txt = "hello" }
  }

  expect "alice" {
    id    = 2
    error = "flow_failed"
  }
}

test "an order goes through the queue, and the page sees each step" {
  client "page" { connector = "watch" }

  given "page" {
    operation = "place"
    id        = 1
    data      = { item = "book", address = "1 Long Street" }
  }

  expect "page" { data = { item = "book", stage = "published" } }
  expect "page" { data = { item = "book", stage = "consumed" } }
  expect "page" { data = { item = "book", stage = "packed" } }
  expect "page" {
    type = "ack"
    id   = 1
  }
}

test "an order that can never be packed becomes a dead letter at once" {
  client "page" { connector = "watch" }

  given "page" {
    operation = "place"
    data      = { item = "book" }
  }

  expect "page" { data = { stage = "published" } }
  expect "packing" { error = "validation_failed" }
  expect "page" { data = { stage = "dead", retries = 0 } }
}

test "an order whose machine is away comes again twice, and then becomes a dead letter" {
  client "page" { connector = "watch" }

  mock "machine" { error = "connection refused" }
  given "page" {
    operation = "place"
    data      = { item = "lamp", address = "1 Long Street" }
  }
  expect "page" { data = { stage = "published" } }
  expect "page" { data = { stage = "consumed" } }
  expect "packing" { error = "flow_failed" }

  advance { by = "2s" }
  expect "page" { data = { stage = "consumed" } }
  expect "packing" { error = "flow_failed" }

  advance { by = "2s" }
  expect "page" { data = { stage = "consumed" } }
  expect "packing" { error = "flow_failed" }
  expect "page" { data = { stage = "dead", retries = 2 } }
}

test "an order whose machine is back is packed at the next attempt" {
  client "page" { connector = "watch" }

  mock "machine" {}
  mock "machine" {
    operation = "POST /lamps"
    error     = "connection refused"
    times     = 1
  }
  given "page" {
    operation = "place"
    data      = { item = "lamp", address = "1 Long Street" }
  }
  expect "page" { data = { stage = "consumed" } }
  expect "packing" { error = "flow_failed" }
  advance { by = "2s" }
  expect "page" { data = { stage = "packed" } }
}

test "the page shows what other programs publish" {
  client "page" { connector = "watch" }

  given "rabbit" {
    operation = "order.updated"
    data      = { id = "A17", status = "packed" }
  }

  expect "page" { data = { update = { id = "A17", status = "packed" } } }
}
