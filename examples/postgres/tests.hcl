# `weir test` runs these tests without a server: SQLite in memory plays the database, with the
# migrations applied. What a flow writes starts the flows that read its changes, as does a `given` on
# "pg", the row of somebody else.

test "a message is stored, acknowledged, and delivered to its room" {
  client "ada" {
    params = { name = "Ada" }
    rooms  = ["lobby"]
  }
  client "bob" { rooms = ["lobby"] }
  client "cyd" { rooms = ["kitchen"] }

  given "ada" {
    id   = 1
    data = { id = "m1", room = "lobby", text = " Hello " }
  }

  expect "ada" {
    type = "ack"
    id   = 1
  }
  expect "pg" { data = { id = "m1", room = "lobby", author = "Ada", text = "Hello" } }
  expect "bob" {
    room = "lobby"
    data = { kind = "message", id = "m1", author = "Ada", text = "Hello" }
  }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" {
    status = 200
    data   = [{ id = "m1", author = "Ada", text = "Hello" }]
  }
}

test "a row that anybody inserts reaches the room" {
  client "ada" { rooms = ["lobby"] }
  client "bob" { rooms = ["kitchen"] }

  given "pg" {
    operation = "INSERT messages"
    data      = { id = "m1", room = "lobby", author = "psql", text = "Hello" }
  }

  expect "ada" {
    room = "lobby"
    data = { kind = "message", id = "m1", author = "psql", text = "Hello" }
  }
  expect "bob" { nothing = true }
}

test "only members of a room can send to it" {
  client "ada" { rooms = ["lobby"] }

  given "ada" { data = { id = "m1", room = "kitchen", text = "Hello" } }

  expect "ada" { error = "rejected" }
  expect "pg" { nothing = true }
}

test "a message that is sent again is stored and heard once" {
  client "ada" { rooms = ["lobby"] }
  client "bob" { rooms = ["lobby"] }

  given "ada" { data = { id = "same", room = "lobby", text = "Once" } }
  expect "bob" { data = { id = "same", text = "Once" } }
  given "ada" { data = { id = "same", room = "lobby", text = "Twice" } }
  expect "bob" { nothing = true }

  given "api" { operation = "GET /rooms/lobby/messages" }
  expect "api" { data = [{ id = "same", text = "Once" }] }
}

test "a change of an order reaches every client" {
  client "ada" {}

  given "pg" {
    operation = "UPDATE orders"
    data      = { id = "A17", status = "packed", updated_at = "2026-01-31T12:00:00Z" }
  }
  expect "ada" { data = { kind = "order", id = "A17", status = "packed" } }

  given "pg" {
    operation = "DELETE orders"
    data      = { id = "A17", status = "packed", updated_at = "2026-01-31T12:00:00Z" }
  }
  expect "ada" { nothing = true }
}

test "an order that is posted is stored, and reaches every client" {
  client "ada" {}

  given "api" {
    operation = "POST /orders"
    data      = { id = "A17", status = "packed" }
  }
  expect "pg" { data = { id = "A17", status = "packed" } }
  expect "ada" { data = { kind = "order", id = "A17", status = "packed" } }
  expect "api" { status = 200 }

  given "api" { operation = "GET /orders" }
  expect "api" { data = [{ id = "A17", status = "packed" }] }
}

test "the members of a room are told" {
  client "ada" {
    user_id  = "u1"
    params   = { name = "Ada" }
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    params  = { name = "Bob" }
  }

  given "bob" {
    operation = "join_room"
    room      = "lobby"
    presence  = true
  }
  expect "ada" {
    type     = "presence"
    presence = { count = 2, joined = [{ user_id = "u2", info = { name = "Bob" } }] }
  }
  expect "bob" {
    type = "presence"
    presence = {
      members = [
        { user_id = "u1", info = { name = "Ada" } },
        { user_id = "u2", info = { name = "Bob" } },
      ]
    }
  }

  given "bob" {
    operation = "leave_room"
    room      = "lobby"
  }
  expect "ada" {
    type     = "presence"
    presence = { count = 1, left = [{ user_id = "u2" }] }
  }
}

test "a page that comes back in time has not been away, and has missed nothing" {
  client "ada" {
    user_id  = "u1"
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" { user_id = "u2" }

  given "bob" {
    id        = 1
    operation = "join_room"
    room      = "lobby"
    history   = true
  }
  expect "ada" {
    type     = "presence"
    presence = { joined = [{ user_id = "u2" }] }
  }

  given "bob" {
    operation = "disconnect"
    code      = 1006
  }
  given "ada" {
    id   = 1
    data = { id = "m1", room = "lobby", text = "Are you there?" }
  }
  expect "ada" { data = { id = "m1" } }
  expect "ada" { type = "ack" }
  advance { by = "20s" }
  given "bob" { operation = "connect" }
  given "bob" {
    id        = 2
    operation = "join_room"
    room      = "lobby"
    history   = true
  }
  expect "bob" {
    id        = 2
    recovered = true
  }
  expect "bob" { data = { id = "m1", text = "Are you there?" } }
  expect "ada" { nothing = true }
}

test "a page that does not come back leaves its room" {
  client "ada" {
    user_id  = "u1"
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    rooms   = ["lobby"]
  }

  given "bob" {
    operation = "disconnect"
    code      = 1001
  }
  advance { by = "29s" }
  expect "ada" { nothing = true }
  advance { by = "1s" }
  expect "ada" {
    type     = "presence"
    presence = { left = [{ user_id = "u2" }] }
  }
}

test "pages count what is said in other rooms" {
  client "ada" { rooms = ["lobby"] }
  client "cyd" { rooms = ["kitchen", "activity:all"] }

  given "ada" { data = { id = "m1", room = "lobby", text = "Hello" } }
  given "ada" { data = { id = "m1", room = "lobby", text = "Hello" } }
  expect "cyd" {
    room = "activity:all"
    data = { room = "lobby" }
  }
  expect "cyd" { nothing = true }

  given "api" { operation = "GET /rooms" }
  expect "api" { data = [{ name = "lobby", messages = 1 }] }
}

test "the members of a room see that somebody is typing" {
  client "ada" {
    rooms    = ["lobby"]
    presence = true
  }
  client "bob" {
    user_id = "u2"
    rooms   = ["lobby"]
  }

  given "bob" {
    operation = "presence"
    room      = "lobby"
    data      = { typing = true }
  }
  expect "ada" {
    type     = "presence"
    presence = { changed = [{ user_id = "u2", data = { typing = true } }] }
  }
}
