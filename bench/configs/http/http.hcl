# Each question is answered with what an API says.

connector "ws" {
  type = "websocket"
  port = env("BENCH_PORT", 3001)
}

connector "api" {
  type     = "http"
  base_url = env("BENCH_API", "http://127.0.0.1:3002")
}

flow "read" {
  from {
    connector = "ws"
    operation = "read"
  }
  step "item" {
    connector = "api"
    operation = "GET /items/:id"
    params    = { id = "input.id" }
  }
  response {
    name  = "step.item.name"
    price = "step.item.price"
  }
}
