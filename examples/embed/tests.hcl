# `weir test` runs these tests of live.hcl.

test "a message of a client reaches all others" {
  client "alice" {}
  client "bob" {}

  given "alice" { data = { text = "hello" } }

  expect "bob" { data = { text = "hello" } }
  expect "alice" { nothing = true }
}

test "an order that is posted reaches every client" {
  client "alice" {}

  given "api" {
    operation = "POST /orders"
    data      = { id = "A17", status = "packed" }
  }

  expect "api" { status = 204 }
  expect "alice" { data = { id = "A17", status = "packed" } }
}
