connector "db" {
  type       = "database"
  driver     = "sqlite"
  database   = "notes.db"
  migrations = "./sql"
}

connector "api" {
  type = "rest"
  port = 3000
}

flow "add_note" {
  from {
    connector = "api"
    operation = "POST /notes"
  }
  to {
    connector = "db"
    target    = "notes"
    transform {
      author = "input.author"
      stars  = "[input.stars]"
    }
  }
}
