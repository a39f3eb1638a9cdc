connector "ws" {
  type = "websocket"
  port = $PORT
}
