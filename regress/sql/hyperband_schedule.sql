-- The rungs of hyperband as a table.
SET client_min_messages = warning;
SELECT modelhop.hyperband_schedule('schedule', 81, 3, 0);
SELECT * FROM schedule ORDER BY s DESC, i;
SELECT modelhop.hyperband_schedule('nine', 9);
SELECT string_agg(concat('(', concat_ws(',', s, i, n_i, r_i), ')'), ' ' ORDER BY s DESC, i) AS rows FROM nine;
SELECT modelhop.hyperband_schedule('skipped', 9, skip_last => 1);
SELECT string_agg(concat('(', concat_ws(',', s, i, n_i, r_i), ')'), ' ' ORDER BY s DESC, i) AS rows FROM skipped;
SELECT attname, format_type(atttypid, atttypmod) FROM pg_attribute WHERE attrelid = 'nine'::regclass AND attnum > 0 ORDER BY attnum;
INSERT INTO nine VALUES (2, 0, 1, 1);
-- As many rungs as two triangle numbers: (s_max + 1)(s_max + 2) / 2.
SELECT DISTINCT r, eta, (SELECT count(*) FROM modelhop.hyperband_rows(r, eta, 0)) = (s + 1) * (s + 2) / 2 AS complete
FROM (VALUES (81, 3, 4), (9, 3, 2), (3, 2, 1), (5, 5, 1), (6, 3, 1), (100, 10, 2), (64, 2, 6)) AS v(r, eta, s) ORDER BY 1, 2;
-- Names, and what is refused.
CREATE SCHEMA "My Schema";
SELECT modelhop.hyperband_schedule('"My Schema"."The Plan"', 27, 3, 3);
SELECT count(*) FROM "My Schema"."The Plan";
SELECT modelhop.hyperband_schedule('schedule', 81, 3, 0);
SELECT modelhop.hyperband_schedule('bad', 2, 3);
SELECT modelhop.hyperband_schedule('bad', 9, 1);
SELECT modelhop.hyperband_schedule('bad', 9, 3, 3);
SELECT modelhop.hyperband_schedule('bad', 9, 3, -1);
SELECT modelhop.hyperband_schedule('bad', NULL);
SELECT modelhop.hyperband_schedule('', 9);
SELECT modelhop.hyperband_schedule(NULL, 9);
SELECT to_regclass('bad') IS NULL AS nothing_left;
SET client_min_messages = error;
DROP SCHEMA "My Schema" CASCADE;
