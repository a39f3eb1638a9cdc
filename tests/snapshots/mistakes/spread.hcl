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
    all = "{...input, seen: true}"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
