connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "chat.db"
  migrations = "migrations"
}
