-- A small shop whose owner may read orders and the names of customers, and nothing else.
CREATE TABLE orders (id INTEGER PRIMARY KEY, customer_id INTEGER, status TEXT, note TEXT);
INSERT INTO orders VALUES (1, 1, 'open', 'leave at the door'), (2, 1, 'sent', 'gift'), (3, 2, 'sent', 'ring twice');
CREATE TABLE customers (id INTEGER PRIMARY KEY, name TEXT, card TEXT);
INSERT INTO customers VALUES (1, 'Ada', 'CANARY-card-2f7'), (2, 'Bo', 'CANARY-card-2f7');
CREATE TABLE secrets (value TEXT);
INSERT INTO secrets VALUES ('CANARY-secret-90b');
CREATE VIEW leaky AS SELECT value FROM secrets;
