# `weir test` runs these tests of page.hcl.

test "a client's message becomes a row" {
  client "alice" {}

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
  client "alice" {}
  client "bob" {}

  given "rabbit" {
    operation = "order.updated"
    data      = { id = 7, status = "shipped" }
  }

  expect "alice" { data = { id = 7, status = "shipped" } }
  expect "bob" { data = { id = 7, status = "shipped" } }
}

test "an event of a room reaches its members" {
  client "alice" { rooms = ["orders"] }
  client "bob" { rooms = ["lobby"] }

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
  client "alice" {}

  given "alice" {
    id   = 2
    data = { txt = "hello" }
  }

  expect "alice" {
    id    = 2
    error = "flow_failed"
  }
}
