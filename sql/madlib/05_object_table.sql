-- Where tables of the user's own functions are. this_schema stands for the schema of these functions; the last fragment
-- puts its name there.

CREATE FUNCTION object_table_name(object_table varchar, may_be_new boolean DEFAULT false) RETURNS varchar
LANGUAGE plpgsql STABLE
AS $$
BEGIN
  -- An error on a name that is none comes first.
  IF object_table IS NULL OR object_table OPERATOR(pg_catalog.=) '' THEN
    RETURN object_table;
  ELSIF modelhop.find_table('object_table', object_table) IS NOT NULL
        OR pg_catalog.strpos(object_table, '.') OPERATOR(pg_catalog.>) 0 THEN  -- has a schema
    RETURN object_table;
  ELSIF modelhop.find_table('object_table', pg_catalog.concat('this_schema.', object_table)) IS NOT NULL
        OR may_be_new AND pg_catalog.has_schema_privilege('this_schema'::pg_catalog.regnamespace, 'CREATE') THEN
    RETURN pg_catalog.concat('this_schema.', object_table);
  END IF;
  RETURN object_table;
END $$;
COMMENT ON FUNCTION object_table_name(varchar, boolean) IS
'The name of a table of functions: the caller''s own, or the one in the schema of MADlib''s names, as MADlib has it.';

CREATE FUNCTION let_everybody_read(object_table varchar) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  EXECUTE pg_catalog.format('GRANT SELECT ON %s TO PUBLIC', modelhop.existing_table('object_table', object_table));
END $$;
COMMENT ON FUNCTION let_everybody_read(varchar) IS
'Lets everybody read a table of functions that was made in the schema of MADlib''s names.';
