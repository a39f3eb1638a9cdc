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

type "note" {
  author = string
  stars  = array(number)
}

flow "add_note" {
  from {
    connector = "api"
    operation = "POST /notes"
  }
  validate {
    input = "note"
  }
  to {
    connector = "db"
    target    = "notes"
  }
}
