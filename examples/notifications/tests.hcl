# `weir test` runs these tests without a server. The database is in memory, with the migrations
# applied. Steps run in the order written. An expect must find what it names.

test "only followers of a topic are notified" {
  client "ada" { rooms = ["deploys"] }
  client "bob" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = "Version 7 is out" }
  }

  expect "api" { status = 201 }
  expect "ada" {
    room = "deploys"
    data = { topic = "deploys", level = "info", title = "Version 7 is out" }
  }
  expect "bob" { nothing = true }
}

test "a page that was away gets what it missed" {
  client "ada" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = "Version 7 is out" }
  }
  expect "ada" { nothing = true }

  given "ada" {
    operation = "join_room"
    room      = "deploys"
  }
  given "ada" {
    operation = "missed"
    id        = 2
    data      = { topic = "deploys" }
  }
  expect "ada" {
    type = "ack"
    id   = 2
    data = { notifications = [{ title = "Version 7 is out" }] }
  }
}

test "only followers of a topic can load its history" {
  client "ada" { rooms = ["deploys"] }

  given "ada" {
    operation = "missed"
    data      = { topic = "security" }
  }

  expect "ada" { error = "rejected" }
}

test "the same key notifies once within ten minutes" {
  client "ada" { rooms = ["billing"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "ada" { data = { title = "A card was refused" } }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "api" { status = 201 }
  expect "ada" { nothing = true }

  advance { by = "11m" }
  given "api" {
    operation = "POST /notifications"
    data      = { topic = "billing", title = "A card was refused", key = "card-77" }
  }
  expect "ada" { data = { title = "A card was refused" } }
}

test "an invalid notification is refused" {
  client "ada" { rooms = ["deploys"] }

  given "api" {
    operation = "POST /notifications"
    data      = { topic = "deploys", title = " ", level = "loud" }
  }

  expect "api" {
    status = 422
    data   = { error = { details = [{ path = "title" }, { path = "level" }] } }
  }
  expect "ada" { nothing = true }
  expect "db" { nothing = true }
}
