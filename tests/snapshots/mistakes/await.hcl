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
    text = "await fetch('https://example.com')"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
