connector {
  type = "websocket"
  port = 3001
}
