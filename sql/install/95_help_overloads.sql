-- Each function of MADlib's surface answers to f() and f('usage') itself. No call for work may become ambiguous by that:
-- a function that can be called with one argument gets no form that takes a message.
DO $$
DECLARE
  target text;
BEGIN
  FOR target IN SELECT f.function_name FROM modelhop.help_function f WHERE f.has_overloads ORDER BY 1 LOOP
    IF NOT EXISTS (SELECT FROM pg_catalog.pg_proc p
                   WHERE p.pronamespace = 'modelhop'::pg_catalog.regnamespace AND p.proname = target
                     AND p.pronargs >= 1 AND p.pronargs - p.pronargdefaults <= 1) THEN
      EXECUTE pg_catalog.format(
        'CREATE FUNCTION modelhop.%1$I(message varchar) RETURNS text LANGUAGE sql STABLE '
        'SET search_path = pg_catalog, pg_temp AS %2$L', target,
        pg_catalog.format('SELECT modelhop.help(%L, message)', target));
      EXECUTE pg_catalog.format('COMMENT ON FUNCTION modelhop.%I(varchar) IS %L', target,
        pg_catalog.format('Help for %s: message is empty, ''usage'' or ''example''.', target));
    END IF;
    EXECUTE pg_catalog.format(
      'CREATE FUNCTION modelhop.%1$I() RETURNS text LANGUAGE sql STABLE '
      'SET search_path = pg_catalog, pg_temp AS %2$L', target, pg_catalog.format('SELECT modelhop.help(%L)', target));
    EXECUTE pg_catalog.format('COMMENT ON FUNCTION modelhop.%I() IS %L', target,
      pg_catalog.format('What %s is for, and where there is more help.', target));
  END LOOP;
END $$;
