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
    body = "JSON.stringify(input)"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
