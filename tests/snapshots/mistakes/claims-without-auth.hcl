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
    role = "client.claims.role"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
