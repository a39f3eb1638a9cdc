connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

flow "shout" {
  from {
    connector = "ws"
    operation = "shout"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}

test "it is told" {
  client "ann" {
    connector = "ws"
  }
  given "ann" {
    operation = "message"
    data      = { text = "hi" }
  }
  expect "ann" {
    data = { text = "hi" }
  }
}
