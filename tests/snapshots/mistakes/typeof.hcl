connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "typeof input.text == 'string'"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
