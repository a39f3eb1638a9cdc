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
    text = "input.name if input.name != null else 'somebody'"
  }
  to {
    connector = "ws"
    operation = "broadcast"
  }
}
