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
    text = "if input.name != null then input.name else 'somebody'"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
