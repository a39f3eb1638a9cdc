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
    text = "$.input.text"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
