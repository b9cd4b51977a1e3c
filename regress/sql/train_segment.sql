-- The aggregate needs a feed that a run has opened, and refuses NULL; an error leaves the session as it was.
SELECT modelhop.train_segment(1, 0, 1, '\x01'::bytea, '\x0100'::bytea);
\set VERBOSITY sqlstate
SELECT modelhop.train_segment(0, 0, 1, '\x01'::bytea, '\x0100'::bytea);
SELECT modelhop.train_segment(NULL, 0, 1, '\x01'::bytea, '\x0100'::bytea);
SELECT modelhop.train_segment(1, NULL, 1, '\x01'::bytea, '\x0100'::bytea);
SELECT modelhop.train_segment(1, 0, NULL, '\x01'::bytea, '\x0100'::bytea);
SELECT modelhop.train_segment(1, 0, 1, '\x01'::bytea, NULL::bytea);
SELECT modelhop.train_segment(1, i, 1, '\x01'::bytea, '\x0100'::bytea) OVER () FROM generate_series(1, 3) AS i;
-- No row, no feed needed.
SELECT modelhop.train_segment(1, 0, 1, '\x01'::bytea, '\x0100'::bytea) IS NULL AS is_null WHERE false;
-- Its parts cannot be called.
SELECT modelhop.train_segment_end(NULL::bigint);
SELECT modelhop.train_segment_step(1, 1, 1, 1, '\x01'::bytea, '\x0100'::bytea);
-- An error of the query beneath it is the server's.
SELECT modelhop.train_segment(1 / (i - i), 0, 1, '\x01'::bytea, '\x0100'::bytea) FROM generate_series(1, 2) AS i;
-- Many errors caught in one transaction.
\set VERBOSITY terse
DO $$
DECLARE
  caught integer := 0;
BEGIN
  FOR i IN 1..400 LOOP
    BEGIN
      PERFORM modelhop.train_segment(i, 0, 1, '\x01'::bytea, '\x0100'::bytea);
    EXCEPTION WHEN object_not_in_prerequisite_state THEN
      caught := caught + 1;
    END;
  END LOOP;
  RAISE NOTICE '% errors caught', caught;
END
$$;
DO $$
DECLARE
  caught integer := 0;
BEGIN
  FOR i IN 1..400 LOOP
    BEGIN
      PERFORM modelhop.train_segment(i, 0, 1, NULL::bytea, '\x0100'::bytea);
    EXCEPTION WHEN null_value_not_allowed THEN
      caught := caught + 1;
    END;
  END LOOP;
  RAISE NOTICE '% errors caught', caught;
END
$$;
SELECT 1 AS session_lives;
