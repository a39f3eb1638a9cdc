connector "ws" {
  type = "websocket"
  port = 3001
}

flow "say" {
  from {
    connector = "ws"
    operation = "message"
    filter    = "input.tags.some(tag => tag == 'new')"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
