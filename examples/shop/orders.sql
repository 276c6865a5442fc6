CREATE TABLE orders (
    id integer PRIMARY KEY,
    customer text NOT NULL,
    amount integer NOT NULL CHECK (amount > 0)  -- cents
);

INSERT INTO orders VALUES
    (1, 'Ada', 4200),
    (2, 'Grace', 1999),
    (3, 'Edsger', 12750);
