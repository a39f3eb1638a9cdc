test "a message is stored and reaches every client" {
  client "ada" {}
  client "bob" {}

  given "ada" {
    id   = 1
    data = { text = "Hello" }
  }

  expect "db" { data = { text = "Hello" } }
  expect "bob" { data = { text = "Hello" } }
  expect "ada" { data = { text = "Hello" } }
  expect "ada" {
    type = "ack"
    id   = 1
  }
}
