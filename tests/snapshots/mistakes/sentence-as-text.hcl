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
    text = "Hello, world!"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
