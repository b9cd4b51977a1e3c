-- Object tables: custom losses and metrics as text, under the columns of MADlib's tables of pickled functions. Nothing in
-- them is run as code, so they need neither a superuser nor a schema of ours.

CREATE FUNCTION modelhop.check_custom_function(name text, object bytea) RETURNS void
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_check_custom_function';
COMMENT ON FUNCTION modelhop.check_custom_function(text, bytea) IS
'Refuses a name that is no identifier or is a loss or metric of Keras (NULL is not looked at), and an object that is not the text of a function.';

CREATE FUNCTION modelhop.object_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$ SELECT ARRAY['id', 'name', 'description', 'object']::pg_catalog.text[] $$;
COMMENT ON FUNCTION modelhop.object_columns() IS 'The columns of an object table.';

CREATE FUNCTION modelhop.optional_table(argument text, name text) RETURNS regclass
LANGUAGE sql STABLE
AS $$ SELECT CASE WHEN name OPERATOR(pg_catalog.<>) '' THEN modelhop.existing_table(argument, name) END $$;
COMMENT ON FUNCTION modelhop.optional_table(text, text) IS
'The table that a name means to the caller; NULL where the name is NULL or empty, an error where there is no such table.';

CREATE FUNCTION modelhop.object_relation(object_table text) RETURNS regclass
LANGUAGE plpgsql
AS $$
DECLARE
  relation pg_catalog.regclass := modelhop.existing_table('object_table', object_table);
BEGIN
  PERFORM modelhop.check_columns('object_table', relation, modelhop.object_columns(),
    'Name a table that load_custom_function made, or one that does not exist.');
  RETURN relation;
END $$;
COMMENT ON FUNCTION modelhop.object_relation(text) IS
'The object table that a name means to the caller; an error where there is none or it lacks columns.';

CREATE FUNCTION modelhop.add_custom_function(relation regclass, new_table text, object bytea, name text, description text)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  is_there boolean;
BEGIN
  IF relation IS NULL THEN
    EXECUTE format('CREATE TABLE %s (id serial, name text PRIMARY KEY, description text, object bytea)', new_table);
  ELSE
    EXECUTE format('SELECT EXISTS (SELECT FROM %s t WHERE t.name = $1)', relation) INTO is_there USING name;
  END IF;
  IF is_there THEN
    RAISE EXCEPTION USING ERRCODE = 'unique_violation',
      MESSAGE = format('argument name: function "%s" already exists in table %s', name, relation),
      HINT = 'Delete it by delete_custom_function first, or choose another name.';
  END IF;
  EXECUTE format('INSERT INTO %s (name, description, object) VALUES ($1, $2, $3)', coalesce(new_table, relation::text))
    USING name, description, object;
END $$;
COMMENT ON FUNCTION modelhop.add_custom_function(regclass, text, bytea, text, text) IS
'Appends a checked function to an object table, or to a new one.';

CREATE FUNCTION modelhop.load_custom_function(object_table varchar, object bytea, name text, description text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  relation pg_catalog.regclass := modelhop.find_table('object_table', object_table);
  new_table pg_catalog.text;
BEGIN
  IF relation IS NULL THEN
    new_table := modelhop.free_output_table('object_table', object_table);
  ELSE
    relation := modelhop.object_relation(object_table);
  END IF;
  IF name IS NULL OR object IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
      MESSAGE = CASE WHEN name IS NULL THEN 'argument name must not be NULL' ELSE 'argument object must not be NULL' END,
      HINT = 'Give the function''s text, such as def f(y_true, y_pred): return K.square(y_pred - y_true), and its name.';
  END IF;
  PERFORM modelhop.check_custom_function(name, object);
  PERFORM modelhop.add_custom_function(relation, new_table, object, name, description);
END $$;
COMMENT ON FUNCTION modelhop.load_custom_function(varchar, bytea, text, text) IS
'Stores a custom loss or metric, the text of a function of y_true and y_pred in UTF-8, in a table that is made where there is none.';

CREATE FUNCTION modelhop.object_bytes(object text) RETURNS bytea
LANGUAGE sql STABLE SET search_path = pg_catalog, pg_temp
AS $$ SELECT CASE WHEN object ~ '^\\x([0-9A-Fa-f]{2})+$' THEN object::bytea ELSE convert_to(object, 'UTF8') END $$;
COMMENT ON FUNCTION modelhop.object_bytes(text) IS
'A text as UTF-8; what a client wrote as a literal of bytea without saying so is taken as one.';

CREATE FUNCTION modelhop.load_custom_function(object_table varchar, object text, name text, description text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.load_custom_function(object_table, modelhop.object_bytes(object), name, description);
END $$;
COMMENT ON FUNCTION modelhop.load_custom_function(varchar, text, text, text) IS
'Stores a custom loss or metric, the text of a function of y_true and y_pred, in a table that is made where there is none.';

CREATE FUNCTION modelhop.top_k_function(k integer) RETURNS bytea
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object bytea;
BEGIN
  IF k IS NULL OR k < 1 OR k > 1000000 THEN
    RAISE EXCEPTION USING ERRCODE = CASE WHEN k IS NULL THEN 'null_value_not_allowed' ELSE 'invalid_parameter_value' END,
      MESSAGE = format('argument k must be from 1 to 1000000, not %s', coalesce(k::text, 'NULL')),
      HINT = 'k is how many of the best classes count as a hit.';
  END IF;
  object := convert_to(format(E'def top_%1$s_accuracy(y_true, y_pred):\n'
    '    return K.cast(K.in_top_k(y_pred, K.argmax(y_true, axis=-1), %1$s), ''float32'')\n', k), 'UTF8');
  PERFORM modelhop.check_custom_function(NULL, object);
  RETURN object;
END $$;
COMMENT ON FUNCTION modelhop.top_k_function(integer) IS 'The text of a top-k accuracy.';

CREATE FUNCTION modelhop.load_top_k_accuracy_function(object_table varchar, k integer) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  relation pg_catalog.regclass := modelhop.find_table('object_table', object_table);
  new_table pg_catalog.text;
BEGIN
  IF relation IS NULL THEN
    new_table := modelhop.free_output_table('object_table', object_table);
  ELSE
    relation := modelhop.object_relation(object_table);
  END IF;
  PERFORM modelhop.add_custom_function(relation, new_table, modelhop.top_k_function(k),
    pg_catalog.format('top_%s_accuracy', k), pg_catalog.format('top %s accuracy', k));
END $$;
COMMENT ON FUNCTION modelhop.load_top_k_accuracy_function(varchar, integer) IS
'Stores top_<k>_accuracy, the share of examples whose class is among the k best, in an object table.';

CREATE FUNCTION modelhop.remove_custom_function(relation regclass, id integer, name text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  removed bigint;
BEGIN
  IF id IS NULL AND name IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'argument id or name must not be NULL',
      HINT = 'Give the id or the name of a row of the table.';
  END IF;
  EXECUTE format('DELETE FROM %s t WHERE t.id = $1 OR t.name = $2', relation) USING id, name;
  GET DIAGNOSTICS removed = ROW_COUNT;
  IF removed = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'undefined_object',
      MESSAGE = CASE WHEN id IS NOT NULL THEN format('argument id: function %s does not exist in table %s', id, relation)
                ELSE format('argument name: function "%s" does not exist in table %s', left(name, 80), relation) END,
      HINT = format('SELECT id, name FROM %s shows the functions there are.', relation);
  END IF;
  PERFORM modelhop.drop_empty_table(relation);
END $$;
COMMENT ON FUNCTION modelhop.remove_custom_function(regclass, integer, text) IS
'Deletes a custom function, and the table with its last row.';

CREATE FUNCTION modelhop.delete_custom_function(object_table varchar, id integer) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.remove_custom_function(modelhop.object_relation(object_table), id, NULL);
END $$;
COMMENT ON FUNCTION modelhop.delete_custom_function(varchar, integer) IS
'Deletes a custom function by its id; the table is dropped with its last row.';

CREATE FUNCTION modelhop.delete_custom_function(object_table varchar, name text) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.remove_custom_function(modelhop.object_relation(object_table), NULL, name);
END $$;
COMMENT ON FUNCTION modelhop.delete_custom_function(varchar, text) IS
'Deletes a custom function by its name; the table is dropped with its last row.';
