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
    at = "new Date()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
