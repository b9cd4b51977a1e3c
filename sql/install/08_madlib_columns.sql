-- The setting modelhop.madlib_columns, as the functions that make tables see it.

CREATE FUNCTION modelhop.madlib_columns() RETURNS boolean
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT coalesce(nullif(current_setting('modelhop.madlib_columns', true), ''), 'off')::boolean $$;
COMMENT ON FUNCTION modelhop.madlib_columns() IS
'Whether new output tables get MADlib''s columns alone, as the setting of that name says.';

CREATE FUNCTION modelhop.refuse_own_column(argument text, value text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF value IS NOT NULL AND modelhop.madlib_columns() THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument %s: %s cannot be told by the columns that MADlib''s tables have', argument, value),
      HINT = 'SET modelhop.madlib_columns = off, or leave the argument out.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.refuse_own_column(text, text) IS
'Refuses a value that is stored in a column of our own where the tables get MADlib''s columns alone.';
