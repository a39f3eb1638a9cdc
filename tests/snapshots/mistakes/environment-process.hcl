connector "ws" {
  type = "websocket"
  port = process.env.PORT
}
