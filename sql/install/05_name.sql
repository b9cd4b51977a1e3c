-- Names that callers wrote. A function of ours that takes the name of a table comes in two parts: the public one has
-- no settings of its own, so that the name means what it means to the caller, and resolves it with these; the other
-- works on what was resolved, under a fixed search path.

CREATE FUNCTION modelhop.existing_table(argument text, name text, suffix text DEFAULT '') RETURNS regclass
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'modelhop_existing_table';
COMMENT ON FUNCTION modelhop.existing_table(text, text, text) IS
'The table or view that a name with a suffix means to the caller; an error naming the argument where there is none or it may not be read.';

CREATE FUNCTION modelhop.find_table(argument text, name text, suffix text DEFAULT '') RETURNS regclass
LANGUAGE c STABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'modelhop_find_table';
COMMENT ON FUNCTION modelhop.find_table(text, text, text) IS
'The table that a name with a suffix means to the caller; NULL where there is none.';

CREATE FUNCTION modelhop.free_output_table(argument text, name text, suffix text DEFAULT '') RETURNS text
LANGUAGE c STABLE PARALLEL RESTRICTED
AS 'MODULE_PATHNAME', 'modelhop_free_output_table';
COMMENT ON FUNCTION modelhop.free_output_table(text, text, text) IS
'The quoted name, schema included, of a table that the caller may create; an error naming the argument where it exists or may not be made.';

CREATE FUNCTION modelhop.column_names(argument text, list text) RETURNS text[]
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'modelhop_column_names';
COMMENT ON FUNCTION modelhop.column_names(text, text) IS
'The names in a list such as x, "Two Words", by the rules of SQL identifiers.';

CREATE FUNCTION modelhop.optional_names(argument text, list text) RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN list IS NULL THEN '{}'::text[] ELSE modelhop.column_names(argument, list) END $$;
COMMENT ON FUNCTION modelhop.optional_names(text, text) IS 'The names in a list as column_names reads it; none where it is NULL.';

CREATE FUNCTION modelhop.check_columns(argument text, relation regclass, columns text[], hint text) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  missing text;
BEGIN
  SELECT c INTO missing FROM unnest(columns) c
  WHERE NOT EXISTS (SELECT FROM pg_attribute a
                    WHERE a.attrelid = relation AND a.attname = c AND a.attnum > 0 AND NOT a.attisdropped)
  LIMIT 1;
  IF FOUND THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_column',
      MESSAGE = format('argument %s: table %s has no column "%s"', argument, relation, missing), HINT = hint;
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_columns(text, regclass, text[], text) IS
'Refuses a table that lacks one of the columns, naming the argument it came from.';

CREATE FUNCTION modelhop.companion_name(relation regclass, suffix text) RETURNS text
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT modelhop.free_output_table('the table beside ' || relation::text, format('%I.%I', n.nspname, c.relname), suffix)
  FROM pg_class c JOIN pg_namespace n ON n.oid = c.relnamespace WHERE c.oid = relation
$$;
COMMENT ON FUNCTION modelhop.companion_name(regclass, text) IS
'The quoted name of a table that can be made beside another one, in its schema.';

CREATE FUNCTION modelhop.drop_empty_table(relation regclass) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_empty boolean;
BEGIN
  EXECUTE format('SELECT NOT EXISTS (SELECT FROM %s)', relation) INTO is_empty;
  IF is_empty THEN
    EXECUTE format('DROP TABLE %s', relation);
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.drop_empty_table(regclass) IS
'Drops a table whose last row was deleted, as MADlib does; leaves any other.';
