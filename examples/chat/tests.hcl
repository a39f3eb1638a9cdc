# `weir test` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "a message is stored, delivered to its room, and acknowledged" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" {
    params = { name = "Bob" }
    rooms  = ["lobby"]
  }
  client "cyd" {
    params = { name = "Cyd" }
    rooms  = ["kitchen"]
  }

  given "ada" {
    id   = 1
    data = { id = "m1", room = "lobby", text = " Hello " }
  }

  expect "db" { data = { id = "m1", room = "lobby", author = "Ada", text = "Hello" } }
  expect "bob" {
    room = "lobby"
    data = { kind = "message", id = "m1", author = "Ada", text = "Hello" }
  }
  expect "ada" {
    type = "ack"
    id   = 1
  }
  expect "ada" { nothing = true }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" {
    status = 200
    data   = [{ id = "m1", author = "Ada", text = "Hello" }]
  }
}

test "a message that is sent again is stored once" {
  client "ada" { rooms = ["lobby"] }

  given "ada" { data = { id = "same", room = "lobby", text = "Once" } }
  given "ada" { data = { id = "same", room = "lobby", text = "Twice" } }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" { data = [{ id = "same", text = "Once" }] }
}

test "only members of a room can send to it" {
  client "ada" { rooms = ["lobby"] }
  client "bob" { rooms = ["kitchen"] }

  given "ada" { data = { id = "m1", room = "kitchen", text = "Hello" } }

  expect "ada" { error = "rejected" }
  expect "bob" { nothing = true }
  expect "db" { nothing = true }
}

test "an invalid message is refused with every violation" {
  client "ada" { rooms = ["lobby"] }

  given "ada" { data = { id = "", room = "lobby", text = "  ", author = "Bob" } }

  expect "ada" {
    error = "validation_failed"
    details = [
      { path = "id" },
      { path = "text" },
      { path = "author" },
    ]
  }
  expect "db" { nothing = true }
}

test "joins and leaves are announced" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" { params = { name = "Bob" } }

  given "bob" {
    operation = "join_room"
    room      = "lobby"
  }
  expect "ada" { data = { kind = "joined", name = "Bob" } }

  given "bob" { operation = "disconnect" }
  expect "ada" { data = { kind = "left", name = "Bob" } }
}

test "a greeting reaches one connection" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" { rooms = ["lobby"] }

  given "ada" {
    operation = "here"
    data      = { to = "a-client", room = "lobby" }
  }

  expect "ws" {
    operation = "send_to_client"
    target    = "a-client"
    data      = { kind = "here", name = "Ada" }
  }
  expect "bob" { nothing = true }
}

test "an order that is posted reaches every client" {
  client "ada" {}
  client "bob" { rooms = ["lobby"] }

  given "api" {
    operation = "POST /orders"
    data      = { id = "A17", status = "packed" }
  }

  expect "events" {
    target = "order.updated"
    data   = { id = "A17", status = "packed" }
  }
  expect "ada" { data = { kind = "order", id = "A17", status = "packed" } }
  expect "bob" { data = { kind = "order", id = "A17", status = "packed" } }
  expect "api" { status = 200 }
}
