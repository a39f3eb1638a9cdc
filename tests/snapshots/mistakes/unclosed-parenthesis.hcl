connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "size(input.text > 0"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
