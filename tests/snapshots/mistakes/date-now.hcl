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
    at = "Date.now()"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
