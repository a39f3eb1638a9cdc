connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "/^[a-z]+$/.test(input.text)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
