-- Bodies get the name of the schema that they say this_schema for. It is not known before the script runs.
DO $place$
DECLARE
  definition text;
BEGIN
  FOR definition IN SELECT pg_get_functiondef(p.oid) FROM pg_proc p
                    WHERE p.pronamespace = quote_ident(current_schema())::regnamespace AND p.prosrc LIKE '%this\_schema%' LOOP
    EXECUTE replace(definition, 'this_schema', quote_ident(current_schema()));
  END LOOP;
END $place$;
