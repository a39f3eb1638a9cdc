CREATE TABLE messages (
  id     bigint AUTO_INCREMENT PRIMARY KEY,
  author varchar(255) NOT NULL,
  text   text NOT NULL
);
