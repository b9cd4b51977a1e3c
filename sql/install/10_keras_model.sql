-- Tables of architectures in Keras's JSON, as MADlib keeps them.

CREATE FUNCTION modelhop.flat_weights(model_arch text, model_weights bytea, keras_semantics text DEFAULT NULL)
RETURNS bytea
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'modelhop_flat_weights';
COMMENT ON FUNCTION modelhop.flat_weights(text, bytea, text) IS
'The float32 of get_weights() out of what load_keras_model was given: these themselves, or a safetensors file. Warns of an architecture that cannot be trained and refuses weights that do not fit it.';

CREATE FUNCTION modelhop.validate_model(model_arch text, keras_semantics text DEFAULT NULL)
RETURNS TABLE (name text, layers integer, input_shapes text, output_shapes text, parameters bigint,
               trainable_parameters bigint, forward_flops bigint, keras_semantics text)
LANGUAGE c IMMUTABLE PARALLEL SAFE
AS 'MODULE_PATHNAME', 'modelhop_validate_model';
COMMENT ON FUNCTION modelhop.validate_model(text, text) IS
'Reads an architecture (Keras JSON) and tells its size; an error that names the layer and the key where it cannot be trained.';

CREATE FUNCTION modelhop.describe_model(keras_model_arch_table varchar, model_id integer)
RETURNS TABLE (layer integer, name text, class_name text, output_shape text, parameters bigint, trainable boolean,
               connected_to text[], forward_flops bigint, keras_semantics text)
LANGUAGE c STABLE
AS 'MODULE_PATHNAME', 'modelhop_describe_model';
COMMENT ON FUNCTION modelhop.describe_model(varchar, integer) IS
'The layers of a stored architecture, a row each, as Keras''s summary() shows them, and the generation of Keras whose semantics it gets.';

CREATE FUNCTION modelhop.model_columns() RETURNS text[]
LANGUAGE sql IMMUTABLE PARALLEL SAFE
AS $$
  SELECT ARRAY['model_id', 'model_arch', 'model_weights', 'name', 'description', '__internal_madlib_id__']::pg_catalog.text[]
$$;
COMMENT ON FUNCTION modelhop.model_columns() IS 'The columns of a table of architectures.';

CREATE FUNCTION modelhop.add_model(relation regclass, new_table text, model_arch json, model_weights bytea, name text,
                                   description text, keras_semantics text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  target text := coalesce(new_table, relation::text);
  -- Tables that others made do not have the column; who asks for semantics gets it.
  has_semantics boolean := CASE WHEN new_table IS NULL THEN EXISTS (
      SELECT FROM pg_attribute WHERE attrelid = relation AND attname = 'keras_semantics' AND NOT attisdropped)
    ELSE keras_semantics IS NOT NULL OR NOT modelhop.madlib_columns() END;
BEGIN
  IF new_table IS NOT NULL THEN
    EXECUTE format('CREATE TABLE %s (model_id integer, model_arch json, model_weights bytea, name text, '
                   'description text, __internal_madlib_id__ text%s)', new_table,
                   CASE WHEN has_semantics THEN ', keras_semantics text' END);
    EXECUTE format('CREATE UNIQUE INDEX ON %s (model_id)', new_table);
  ELSE
    -- Ids are counted, so that writers of one table come one after the other.
    PERFORM pg_advisory_xact_lock('pg_class'::regclass::oid::integer, relation::oid::integer);
  END IF;
  EXECUTE format('INSERT INTO %s (model_id, model_arch, model_weights, name, description, __internal_madlib_id__%s) '
                 'SELECT coalesce(max(model_id), 0) + 1, $1, $2, $3, $4, '
                 'md5(random()::text || clock_timestamp()::text)%s FROM %1$s', target,
                 CASE WHEN has_semantics THEN ', keras_semantics' END, CASE WHEN has_semantics THEN ', $5' END)
    USING model_arch, model_weights, name, description, keras_semantics;
END $$;
COMMENT ON FUNCTION modelhop.add_model(regclass, text, json, bytea, text, text, text) IS
'Appends a checked architecture to a table, or to a new one.';

CREATE FUNCTION modelhop.load_keras_model(keras_model_arch_table varchar, model_arch json,
                                          model_weights bytea DEFAULT NULL, name text DEFAULT NULL,
                                          description text DEFAULT NULL, keras_semantics text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  relation pg_catalog.regclass := modelhop.find_table('keras_model_arch_table', keras_model_arch_table);
  new_table pg_catalog.text;
BEGIN
  IF relation IS NULL THEN
    new_table := modelhop.free_output_table('keras_model_arch_table', keras_model_arch_table);
  ELSE
    relation := modelhop.existing_table('keras_model_arch_table', keras_model_arch_table);
    PERFORM modelhop.check_columns('keras_model_arch_table', relation, modelhop.model_columns()
        OPERATOR(pg_catalog.||) CASE WHEN keras_semantics IS NOT NULL THEN ARRAY['keras_semantics'::pg_catalog.text] END,
      'Name a table that load_keras_model made, or one that does not exist.');
  END IF;
  IF model_arch IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'argument model_arch must not be NULL',
      HINT = 'Give the text of Keras''s model.to_json().';
  END IF;
  PERFORM modelhop.add_model(relation, new_table, model_arch,
                             modelhop.flat_weights(model_arch::pg_catalog.text, model_weights, keras_semantics), name,
                             description, keras_semantics);
END $$;
COMMENT ON FUNCTION modelhop.load_keras_model(varchar, json, bytea, text, text, text) IS
'Stores an architecture (Keras JSON), with weights if given (float32 of get_weights(), or a safetensors file), in a table that is made where there is none. keras_semantics (k22, tf1, tf2l, tf2n, k3) says which generation of Keras is meant where the file does not.';

CREATE FUNCTION modelhop.remove_model(relation regclass, model_id integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  removed bigint;
BEGIN
  IF model_id IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed', MESSAGE = 'argument model_id must not be NULL',
      HINT = 'Give the id of a row of the table.';
  END IF;
  EXECUTE format('DELETE FROM %s t WHERE t.model_id = $1', relation) USING model_id;
  GET DIAGNOSTICS removed = ROW_COUNT;
  IF removed = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument model_id: table %s has no model %s', relation, model_id),
      HINT = format('SELECT model_id, name FROM %s shows the models there are.', relation);
  END IF;
  PERFORM modelhop.drop_empty_table(relation);
END $$;
COMMENT ON FUNCTION modelhop.remove_model(regclass, integer) IS
'Deletes an architecture, and the table with its last row.';

CREATE FUNCTION modelhop.delete_keras_model(keras_model_arch_table varchar, model_id integer) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  relation pg_catalog.regclass := modelhop.existing_table('keras_model_arch_table', keras_model_arch_table);
BEGIN
  PERFORM modelhop.check_columns('keras_model_arch_table', relation, modelhop.model_columns(),
    'Name a table that load_keras_model made.');
  PERFORM modelhop.remove_model(relation, model_id);
END $$;
COMMENT ON FUNCTION modelhop.delete_keras_model(varchar, integer) IS
'Deletes an architecture from its table; the table is dropped with its last row.';
