DROP TABLE IF EXISTS greeting;
CREATE TABLE greeting (text text NOT NULL);
INSERT INTO greeting VALUES (:'text');
