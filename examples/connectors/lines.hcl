service {
  plugins = ["./lines.ts"]
}

connector "lines" {
  type = "lines"
  port = env("LINES_PORT", 4000)
}

connector "ws" {
  type = "websocket"
  port = 3000
}

flow "publish" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "lines"
    target    = "chat"
  }
}

flow "tell" {
  from {
    connector = "lines"
    operation = "chat"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

test "a message is published" {
  mock "lines" {}
  client "ada" {}

  given "ada" {
    data = { text = "hi" }
  }
  expect "lines" {
    target = "chat"
    data   = { text = "hi" }
  }
}

test "a message of the service reaches the clients" {
  client "ada" {}

  given "lines" {
    operation = "chat"
    data      = { text = "hi" }
  }
  expect "ada" {
    data = { text = "hi" }
  }
}

test "a message that the service does not take is answered with an error" {
  mock "lines" {
    error = "is not connected"
  }
  client "ada" {}

  given "ada" {
    data = { text = "hi" }
  }
  expect "ada" {
    error = "flow_failed"
  }
}
