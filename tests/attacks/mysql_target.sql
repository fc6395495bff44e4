-- The database under attack: ordinary tables, secrets, traps, and a reader with no more than it needs.
CREATE USER IF NOT EXISTS reader@'%' IDENTIFIED BY 'reader-pass';
CREATE USER IF NOT EXISTS writer@'%' IDENTIFIED BY 'writer-pass';
CREATE USER IF NOT EXISTS files@'%' IDENTIFIED BY 'files-pass';
CREATE TABLE customers (id int AUTO_INCREMENT PRIMARY KEY, name varchar(40) NOT NULL, city varchar(40) COMMENT 'where they live', card varchar(40)) COMMENT 'people who bought something';
INSERT INTO customers (name, city, card) VALUES ('Ada', 'Bern', 'CANARY-card-2f7'), ('Bo', 'Cork', 'CANARY-card-2f7');
CREATE TABLE orders (id int PRIMARY KEY, customer_id int, amount decimal(8, 2), placed date, FOREIGN KEY (customer_id) REFERENCES customers (id));
INSERT INTO orders VALUES (1, 1, 10.5, '2026-01-02'), (2, 1, 3.0, '2026-02-03'), (3, 2, 7.25, NULL);
CREATE TABLE `Order Lines` (order_id int, line int, `Unit Price` double, PRIMARY KEY (order_id, line), FOREIGN KEY (order_id) REFERENCES orders (id));
CREATE TABLE secrets (id int PRIMARY KEY, value varchar(40));
INSERT INTO secrets VALUES (1, 'CANARY-secret-90b');
CREATE TABLE numbers (n int);
INSERT INTO numbers SELECT seq FROM seq_1_to_1000;
CREATE SEQUENCE counter;
CREATE VIEW public_customers AS SELECT id, name FROM customers;
CREATE VIEW leaky AS SELECT id, value FROM secrets;
CREATE VIEW cards_view AS SELECT id, card FROM customers;
CREATE VIEW nested_view AS SELECT * FROM leaky;
CREATE FUNCTION plain_double(x int) RETURNS int DETERMINISTIC NO SQL RETURN x * 2;
CREATE FUNCTION tell() RETURNS varchar(40) READS SQL DATA RETURN (SELECT value FROM secrets LIMIT 1);
DELIMITER //
CREATE FUNCTION write_it() RETURNS int MODIFIES SQL DATA BEGIN INSERT INTO orders VALUES (99, 1, 1, NULL); RETURN 1; END//
CREATE FUNCTION lie() RETURNS int NO SQL BEGIN INSERT INTO orders VALUES (98, 1, 1, NULL); RETURN 1; END//
CREATE PROCEDURE wipe() BEGIN DELETE FROM orders; END//
CREATE TRIGGER on_order AFTER INSERT ON orders FOR EACH ROW BEGIN DELETE FROM numbers; END//
DELIMITER ;
CREATE TABLE hidden.vault (value varchar(40));
INSERT INTO hidden.vault VALUES ('CANARY-vault-d10');
CREATE VIEW telling AS SELECT tell() AS said;
CREATE VIEW sorted AS SELECT id FROM customers ORDER BY card;
CREATE VIEW city_counts AS SELECT city, count(*) AS people FROM customers GROUP BY city;
CREATE TABLE documents (id int PRIMARY KEY, body text, data json, FULLTEXT (body));
INSERT INTO documents VALUES (1, 'the quick brown fox', '{"a": [1, 2], "b": {"c": "x"}}'), (2, 'lazy dogs', '{"a": []}');
GRANT SELECT, SHOW VIEW, EXECUTE ON attacked.* TO reader@'%';
GRANT SELECT, EXECUTE, INSERT, UPDATE, DELETE, CREATE, DROP ON attacked.* TO writer@'%';
GRANT SELECT ON attacked.* TO files@'%';
GRANT FILE ON *.* TO files@'%';
