-- Model selection tables: one row is one configuration.

CREATE FUNCTION modelhop.check_train_params(compile_params text[], fit_params text[], objects regclass DEFAULT NULL)
RETURNS void
LANGUAGE c STABLE AS 'MODULE_PATHNAME', 'modelhop_check_train_params';
COMMENT ON FUNCTION modelhop.check_train_params(text[], text[], regclass) IS
'Refuses compile and fit parameters that cannot be read, naming the text. The lists are parallel; objects holds the custom functions that they may name.';

CREATE FUNCTION modelhop.canonical_params(params text) RETURNS text
LANGUAGE c IMMUTABLE PARALLEL SAFE AS 'MODULE_PATHNAME', 'modelhop_canonical_params';
COMMENT ON FUNCTION modelhop.canonical_params(text) IS
'The same text for parameters that mean the same: without regard to white space, quotes and order.';

CREATE FUNCTION modelhop.draw_configurations(model_ids integer[], compile_params_grid text, fit_params_grid text,
                                             num_configs integer, random_state bigint) RETURNS text[]
LANGUAGE c IMMUTABLE AS 'MODULE_PATHNAME', 'modelhop_draw_configurations';
COMMENT ON FUNCTION modelhop.draw_configurations(integer[], text, text, integer, bigint) IS
'All configurations of a grid, or num_configs random ones: model id, compile and fit parameters of each in turn.';

CREATE TYPE modelhop.configuration AS (model_id integer, compile_params text, fit_params text);
COMMENT ON TYPE modelhop.configuration IS 'A configuration before it has a key.';

CREATE FUNCTION modelhop.check_list(argument text, list anyarray) RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF list IS NULL OR array_position(list, NULL) IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('argument %s: NULL is not allowed in %s', argument, coalesce(list::text, 'NULL')),
      HINT = 'Give a list of values.';
  ELSIF cardinality(list) = 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value', MESSAGE = format('argument %s is empty', argument),
      HINT = 'Give at least one value.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_list(text, anyarray) IS 'Refuses NULL, NULL elements and an empty list.';

CREATE FUNCTION modelhop.check_models(arch regclass, model_id_list integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unknown integer;
BEGIN
  PERFORM modelhop.check_columns('model_arch_table', arch, modelhop.model_columns(),
                                 'Name a table that load_keras_model made.');
  PERFORM modelhop.check_list('model_id_list', model_id_list);
  EXECUTE format('SELECT i FROM unnest($1) i WHERE NOT EXISTS (SELECT FROM %s m WHERE m.model_id = i) LIMIT 1', arch)
    INTO unknown USING model_id_list;
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument model_id_list: table %s has no model %s', arch, unknown),
      HINT = format('SELECT model_id, name FROM %s shows the models there are.', arch);
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_models(regclass, integer[]) IS 'Refuses model ids that the table does not have.';

CREATE FUNCTION modelhop.check_configurations(configurations modelhop.configuration[], objects regclass DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  PERFORM modelhop.check_train_params(array_agg(c.compile_params), array_agg(c.fit_params), objects)
  FROM (SELECT DISTINCT u.compile_params, u.fit_params FROM unnest(configurations) u) c;
END $$;
COMMENT ON FUNCTION modelhop.check_configurations(modelhop.configuration[], regclass) IS
'Refuses configurations whose parameters cannot be read.';

CREATE FUNCTION modelhop.create_selection_table(output text) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('CREATE TABLE %s (mst_key serial, model_id integer, compile_params varchar, fit_params varchar, '
                 'UNIQUE (model_id, compile_params, fit_params))', output);
END $$;
COMMENT ON FUNCTION modelhop.create_selection_table(text) IS 'Makes an empty model selection table.';

CREATE FUNCTION modelhop.create_selection_summary(summary text, model_arch_table text, object_table text DEFAULT NULL)
RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  EXECUTE format('CREATE TABLE %s (model_arch_table varchar, object_table varchar)', summary);
  EXECUTE format('INSERT INTO %s VALUES ($1, nullif($2, ''''))', summary) USING model_arch_table, object_table;
END $$;
COMMENT ON FUNCTION modelhop.create_selection_summary(text, text, text) IS 'Makes the summary of a model selection table.';

-- What is there already, in whatever spelling, is left out.
CREATE FUNCTION modelhop.append_configurations(output text, configurations modelhop.configuration[]) RETURNS bigint
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  added bigint;
BEGIN
  EXECUTE format(
    'INSERT INTO %1$s (model_id, compile_params, fit_params) '
    'SELECT c.model_id, c.compile_params, coalesce(c.fit_params, $2) FROM unnest($1) WITH ORDINALITY '
    '  AS c(model_id, compile_params, fit_params, i) '
    'WHERE NOT EXISTS (SELECT FROM %1$s t WHERE t.model_id = c.model_id '
    '  AND modelhop.canonical_params(t.compile_params) = modelhop.canonical_params(c.compile_params) '
    '  AND modelhop.canonical_params(t.fit_params) = modelhop.canonical_params(c.fit_params)) '
    'ORDER BY c.i', output) USING configurations, ''::text;
  GET DIAGNOSTICS added = ROW_COUNT;
  RETURN added;
END $$;
COMMENT ON FUNCTION modelhop.append_configurations(text, modelhop.configuration[]) IS
'Appends configurations that the selection table does not have; how many.';

CREATE FUNCTION modelhop.distinct_params(params text[]) RETURNS text[]
LANGUAGE sql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
  SELECT array_agg(last_text ORDER BY first_place)
  FROM (SELECT (array_agg(p ORDER BY i DESC))[1] AS last_text, min(i) AS first_place
        FROM unnest(params) WITH ORDINALITY AS u(p, i) GROUP BY modelhop.canonical_params(p)) d
$$;
COMMENT ON FUNCTION modelhop.distinct_params(text[]) IS 'Texts without those that mean the same; the last spelling stays.';

CREATE FUNCTION modelhop.write_selection(arch regclass, model_arch_table text, objects regclass, object_table text,
  output text, summary text, model_id_list integer[], compile_params_list text[], fit_params_list text[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  configurations modelhop.configuration[];
BEGIN
  PERFORM modelhop.check_models(arch, model_id_list);
  PERFORM modelhop.check_list('compile_params_list', compile_params_list);
  PERFORM modelhop.check_list('fit_params_list', fit_params_list);
  PERFORM modelhop.check_train_params(array_agg(c), array_agg(f), objects)
  FROM unnest(compile_params_list) c, unnest(fit_params_list) f;
  configurations := ARRAY(
    SELECT (m, c.params, f.params)::modelhop.configuration
    FROM (SELECT DISTINCT unnest(model_id_list) AS m) ids,
      unnest(modelhop.distinct_params(compile_params_list)) WITH ORDINALITY AS c(params, i),
      unnest(modelhop.distinct_params(fit_params_list)) WITH ORDINALITY AS f(params, i)
    ORDER BY m, c.i, f.i);
  PERFORM modelhop.create_selection_table(output);
  PERFORM modelhop.create_selection_summary(summary, model_arch_table, object_table);
  PERFORM modelhop.append_configurations(output, configurations);
END $$;
COMMENT ON FUNCTION modelhop.write_selection(regclass, text, regclass, text, text, text, integer[], text[], text[]) IS
'Writes all combinations of models, compile and fit parameters into a new selection table.';

CREATE FUNCTION modelhop.load_model_selection_table(
  model_arch_table varchar, model_selection_table varchar, model_id_list integer[], compile_params_list varchar[],
  fit_params_list varchar[], object_table varchar DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.write_selection(
    modelhop.existing_table('model_arch_table', model_arch_table), model_arch_table,
    modelhop.optional_table('object_table', object_table), object_table,
    modelhop.free_output_table('model_selection_table', model_selection_table),
    modelhop.free_output_table('model_selection_table', model_selection_table, '_summary'),
    model_id_list, compile_params_list, fit_params_list);
END $$;
COMMENT ON FUNCTION modelhop.load_model_selection_table(varchar, varchar, integer[], varchar[], varchar[], varchar) IS
'Makes a model selection table with all combinations of models, compile parameters and fit parameters.';

CREATE FUNCTION modelhop.check_search(search_type text, num_configs integer, random_state integer) RETURNS boolean
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  kind text := lower(btrim(search_type));
  is_random boolean := kind <> '' AND starts_with('random', kind);
BEGIN
  IF kind IS NULL OR kind = '' OR NOT (is_random OR starts_with('grid', kind)) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument search_type: %s is unknown', coalesce(quote_literal(search_type), 'NULL')),
      HINT = 'Use ''grid'' or ''random''.';
  ELSIF is_random AND coalesce(num_configs, 0) <= 0 THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument num_configs: random search needs a positive number, not %s',
                       coalesce(num_configs::text, 'NULL')),
      HINT = 'Say how many configurations to draw.';
  ELSIF NOT is_random AND (num_configs IS NOT NULL OR random_state IS NOT NULL) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument %s must be NULL for grid search',
                       CASE WHEN num_configs IS NOT NULL THEN 'num_configs: ' || num_configs
                       ELSE 'random_state: ' || random_state END),
      HINT = 'A grid holds all its configurations; use search_type ''random'' to draw some.';
  END IF;
  RETURN is_random;
END $$;
COMMENT ON FUNCTION modelhop.check_search(text, integer, integer) IS
'Whether a search is random; refuses arguments that do not go together.';

CREATE FUNCTION modelhop.find_configurations(arch regclass, model_id_list integer[], compile_params_grid text,
  fit_params_grid text, is_random boolean, num_configs integer, random_state integer, objects regclass DEFAULT NULL)
RETURNS modelhop.configuration[]
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  texts text[];
  configurations modelhop.configuration[];
BEGIN
  PERFORM modelhop.check_models(arch, model_id_list);
  IF compile_params_grid IS NULL OR fit_params_grid IS NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'null_value_not_allowed',
      MESSAGE = format('argument %s must not be NULL',
                       CASE WHEN compile_params_grid IS NULL THEN 'compile_params_grid' ELSE 'fit_params_grid' END),
      HINT = 'Give a dictionary of lists, such as {''batch_size'': [32, 64]}.';
  END IF;
  texts := modelhop.draw_configurations(
    ARRAY(SELECT DISTINCT i FROM unnest(model_id_list) i ORDER BY i), compile_params_grid, fit_params_grid,
    CASE WHEN is_random THEN num_configs END, coalesce(random_state, floor(random() * 2147483647)::bigint));
  configurations := ARRAY(SELECT (texts[i]::integer, texts[i + 1], texts[i + 2])::modelhop.configuration
                          FROM generate_series(1, cardinality(texts), 3) i ORDER BY i);
  PERFORM modelhop.check_configurations(configurations, objects);
  RETURN configurations;
END $$;
COMMENT ON FUNCTION modelhop.find_configurations(regclass, integer[], text, text, boolean, integer, integer, regclass) IS
'The configurations of a grid or a random search, checked.';

CREATE FUNCTION modelhop.summary_models(argument text, summary regclass) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  model_arch_table text;
BEGIN
  PERFORM modelhop.check_columns(argument, summary, ARRAY['model_arch_table'],
                                 'Name a table that modelhop made, with its summary.');
  EXECUTE format('SELECT s.model_arch_table FROM %s s', summary) INTO model_arch_table;
  RETURN model_arch_table;
END $$;
COMMENT ON FUNCTION modelhop.summary_models(text, regclass) IS 'The table of architectures that a summary names.';

CREATE FUNCTION modelhop.summary_objects(summary regclass) RETURNS text
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  object_table text;
BEGIN
  IF EXISTS (SELECT FROM pg_attribute
             WHERE attrelid = summary AND attname = 'object_table' AND attnum > 0 AND NOT attisdropped) THEN
    EXECUTE format('SELECT nullif(s.object_table, '''') FROM %s s', summary) INTO object_table;
  END IF;
  RETURN object_table;
END $$;
COMMENT ON FUNCTION modelhop.summary_objects(regclass) IS
'The object table that a summary names; NULL where it names none.';

CREATE FUNCTION modelhop.check_same_objects(objects regclass, object_table text, other regclass, other_text text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF other_text <> object_table AND other IS DISTINCT FROM objects THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument object_table: "%s", but the model selection table was made for "%s"',
                       object_table, other_text),
      HINT = 'Use a new model selection table for other custom functions.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_same_objects(regclass, text, regclass, text) IS
'Refuses to append configurations with one object table to a selection table of another.';

CREATE FUNCTION modelhop.check_same_models(arch regclass, model_arch_table text, other regclass, other_text text)
RETURNS void
LANGUAGE plpgsql IMMUTABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF other_text IS DISTINCT FROM model_arch_table AND other IS DISTINCT FROM arch THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument model_arch_table: "%s", but the model selection table was made for "%s"',
                       model_arch_table, other_text),
      HINT = 'Use a new model selection table for other architectures.';
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.check_same_models(regclass, text, regclass, text) IS
'Refuses to append configurations of one table of architectures to a selection table of another.';

CREATE FUNCTION modelhop.generate_selection(arch regclass, model_arch_table text, object_table text,
  selection regclass, summary regclass, new_selection text, new_summary text,
  configurations modelhop.configuration[], num_configs integer) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  added bigint;
  wanted bigint := coalesce(num_configs, cardinality(configurations));
BEGIN
  IF selection IS NOT NULL THEN
    PERFORM modelhop.check_columns('model_selection_table', selection,
      ARRAY['mst_key', 'model_id', 'compile_params', 'fit_params'], 'Name a model selection table or a new one.');
  END IF;
  IF selection IS NULL THEN
    PERFORM modelhop.create_selection_table(new_selection);
  END IF;
  IF new_summary IS NOT NULL THEN
    PERFORM modelhop.create_selection_summary(new_summary, model_arch_table, object_table);
  ELSIF object_table IS DISTINCT FROM modelhop.summary_objects(summary) THEN
    EXECUTE format('UPDATE %s SET object_table = $1', summary) USING object_table;
  END IF;
  added := modelhop.append_configurations(coalesce(new_selection, selection::text), configurations);
  IF added < wanted THEN
    RAISE WARNING USING MESSAGE = format('%s configurations added instead of %s: the others would have been equal',
                                         added, wanted);
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.generate_selection(regclass, text, text, regclass, regclass, text, text,
  modelhop.configuration[], integer) IS 'Writes configurations into a new or an existing selection table.';

CREATE FUNCTION modelhop.generate_model_configs(
  model_arch_table varchar, model_selection_table varchar, model_id_list integer[], compile_params_grid varchar,
  fit_params_grid varchar, search_type varchar DEFAULT 'grid', num_configs integer DEFAULT NULL,
  random_state integer DEFAULT NULL, object_table varchar DEFAULT NULL) RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  arch pg_catalog.regclass := modelhop.existing_table('model_arch_table', model_arch_table);
  selection pg_catalog.regclass := modelhop.find_table('model_selection_table', model_selection_table);
  summary pg_catalog.regclass;
  new_selection pg_catalog.text;
  new_summary pg_catalog.text;
  models pg_catalog.text;
  objects pg_catalog.regclass := modelhop.optional_table('object_table', object_table);
  -- The caller's search path may hold other operators, which a comparison without a schema would take.
  objects_name pg_catalog.text := CASE WHEN object_table OPERATOR(pg_catalog.<>) '' THEN object_table END;
  former_objects pg_catalog.text;
BEGIN
  IF selection IS NULL THEN
    new_selection := modelhop.free_output_table('model_selection_table', model_selection_table);
    new_summary := modelhop.free_output_table('model_selection_table', model_selection_table, '_summary');
  ELSE
    summary := modelhop.find_table('model_selection_table', model_selection_table, '_summary');
    IF summary IS NULL THEN
      new_summary := modelhop.companion_name(selection, '_summary');
    ELSE
      models := modelhop.summary_models('model_selection_table', summary);
      PERFORM modelhop.check_same_models(arch, model_arch_table, modelhop.find_table('model_arch_table', models), models);
      former_objects := modelhop.summary_objects(summary);
      IF objects IS NULL THEN
        objects := modelhop.optional_table('object_table', former_objects);
        objects_name := former_objects;
      ELSIF former_objects IS NOT NULL THEN
        PERFORM modelhop.check_same_objects(objects, object_table, modelhop.find_table('object_table', former_objects),
                                            former_objects);
      END IF;
    END IF;
  END IF;
  PERFORM modelhop.generate_selection(arch, model_arch_table, objects_name, selection, summary, new_selection, new_summary,
    modelhop.find_configurations(arch, model_id_list, compile_params_grid, fit_params_grid,
      modelhop.check_search(search_type, num_configs, random_state), num_configs, random_state, objects), num_configs);
END $$;
COMMENT ON FUNCTION modelhop.generate_model_configs(varchar, varchar, integer[], varchar, varchar, varchar, integer,
  integer, varchar) IS 'Adds all configurations of a grid, or random ones of it, to a model selection table.';

CREATE FUNCTION modelhop.copy_configurations(info regclass, model_arch_table text, object_table text, output text,
                                             summary text, mst_keys integer[]) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  unknown integer;
BEGIN
  PERFORM modelhop.check_list('mst_keys', mst_keys);
  EXECUTE format('SELECT k FROM unnest($1) k WHERE NOT EXISTS (SELECT FROM %s i WHERE i.mst_key = k) LIMIT 1', info)
    INTO unknown USING mst_keys;
  IF unknown IS NOT NULL THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument mst_keys: table %s has no configuration %s', info, unknown),
      HINT = 'Call leaderboard() to see the configurations there are.';
  END IF;
  PERFORM modelhop.create_selection_table(output);
  PERFORM modelhop.create_selection_summary(summary, model_arch_table, object_table);
  EXECUTE format('INSERT INTO %s SELECT i.mst_key, i.model_id, i.compile_params, i.fit_params FROM %s i '
                 'WHERE i.mst_key = ANY ($1) ORDER BY i.mst_key', output, info) USING mst_keys;
  PERFORM setval(pg_get_serial_sequence(output, 'mst_key'), (SELECT max(k) FROM unnest(mst_keys) k));
END $$;
COMMENT ON FUNCTION modelhop.copy_configurations(regclass, text, text, text, text, integer[]) IS
'Makes a selection table of some configurations of a run.';

CREATE FUNCTION modelhop.select_models(output_table varchar, model_selection_table varchar, mst_keys integer[])
RETURNS void
LANGUAGE plpgsql
AS $$
DECLARE
  info pg_catalog.regclass := modelhop.existing_table('output_table', output_table, '_info');
  run pg_catalog.regclass := modelhop.existing_table('output_table', output_table, '_summary');
BEGIN
  PERFORM modelhop.check_columns('output_table', info,
    ARRAY['mst_key', 'model_id', 'compile_params', 'fit_params']::pg_catalog.text[],
    'Name the output of fit_multiple_model.');
  PERFORM modelhop.copy_configurations(
    info, modelhop.summary_models('output_table', run), modelhop.summary_objects(run),
    modelhop.free_output_table('model_selection_table', model_selection_table),
    modelhop.free_output_table('model_selection_table', model_selection_table, '_summary'), mst_keys);
END $$;
COMMENT ON FUNCTION modelhop.select_models(varchar, varchar, integer[]) IS
'Makes a model selection table with exactly these configurations of a run, under their keys, for a longer run.';
