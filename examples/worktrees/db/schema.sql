-- Anew at each start.
SET client_min_messages = warning;
DROP TABLE IF EXISTS greeting;
CREATE TABLE greeting (text text NOT NULL);
INSERT INTO greeting VALUES (:'text');
