connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
  }
  transform {
    author = { name = "input.name" }
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
