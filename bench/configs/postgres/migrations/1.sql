CREATE TABLE messages (id bigserial PRIMARY KEY, author text NOT NULL, text text NOT NULL);
CREATE TABLE items (id integer PRIMARY KEY, name text NOT NULL, price integer NOT NULL);
INSERT INTO items SELECT n, 'item ' || n, n * 3 FROM generate_series(1, 1000) AS n;
