connector "db" {
  type   = "database"
  driver = "postgresql"
  url    = "postgres://localhost/chat"
}
