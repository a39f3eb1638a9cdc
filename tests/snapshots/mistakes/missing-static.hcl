connector "ws" {
  type   = "websocket"
  port   = 3001
  static = "public"
}
