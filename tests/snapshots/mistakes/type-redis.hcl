connector "events" {
  type = "redis"
  host = "localhost"
}
