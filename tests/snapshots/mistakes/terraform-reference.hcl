connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = connector.ws
    operation = "message"
  }
  to {
    connector = connector.ws
    operation = "broadcast"
  }
}
