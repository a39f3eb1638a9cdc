connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "input.text is null"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
