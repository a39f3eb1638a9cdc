CREATE TABLE prices (id bigserial PRIMARY KEY, item text NOT NULL, price integer NOT NULL);
