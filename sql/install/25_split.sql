-- Rows for training and rows for testing, by chance.

CREATE FUNCTION modelhop.check_split(source regclass, train_proportion double precision,
                                     test_proportion double precision, with_replacement boolean, group_names text[],
                                     target_names text[]) RETURNS void
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp
AS $$
BEGIN
  IF (train_proportion > 0 AND train_proportion < 1) IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument train_proportion: %s is not between 0 and 1', coalesce(train_proportion::text, 'NULL')),
      HINT = 'Give the share of the rows to train on, such as 0.8.';
  ELSIF NOT (test_proportion > 0 AND test_proportion < 1) THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument test_proportion: %s is not between 0 and 1', test_proportion),
      HINT = 'Give NULL for all rows that are not for training.';
  ELSIF test_proportion + train_proportion > 1 + 1e-9 AND with_replacement IS NOT TRUE THEN
    RAISE EXCEPTION USING ERRCODE = 'invalid_parameter_value',
      MESSAGE = format('argument test_proportion: %s and train_proportion %s are more than all rows', test_proportion,
                       train_proportion),
      HINT = 'Use with_replacement where a row may be taken more than once.';
  END IF;
  PERFORM modelhop.check_columns('grouping_cols', source, group_names, 'Name a column of the source table.');
  PERFORM modelhop.check_columns('target_cols', source, target_names, 'Name a column of the source table.');
END $$;
COMMENT ON FUNCTION modelhop.check_split(regclass, double precision, double precision, boolean, text[], text[]) IS
'Refuses arguments of train_test_split that make no sense.';

CREATE FUNCTION modelhop.split_query(source regclass, columns text[], group_names text[],
                                     train_proportion double precision, test_proportion double precision,
                                     with_replacement boolean) RETURNS text
LANGUAGE plpgsql STABLE SET search_path = pg_catalog, pg_temp SET extra_float_digits = 1
AS $$
DECLARE
  groups text := coalesce((SELECT string_agg(format('s.%I', g), ', ') FROM unnest(group_names) g), 'NULL');
  aliases text := (SELECT string_agg('v' || i, ', ') FROM generate_subscripts(columns, 1) i);
  numbered text := format(
    'SELECT %s, row_number() OVER (PARTITION BY %s ORDER BY random()) AS place, '
    'count(*) OVER (PARTITION BY %2$s) AS total, dense_rank() OVER (ORDER BY %2$s) AS stratum FROM %s s',
    (SELECT string_agg(format('s.%I AS v%s', columns[i], i), ', ') FROM generate_subscripts(columns, 1) i), groups, source);
  for_training text := format('round(total * %s::numeric)', train_proportion);
  for_testing text := CASE WHEN test_proportion IS NULL THEN format('(total - %s)', for_training)
                      ELSE format('round(total * %s::numeric)', test_proportion) END;
BEGIN
  IF with_replacement THEN
    RETURN format(
      'WITH numbered AS MATERIALIZED (%s), stratum AS (SELECT DISTINCT stratum, total FROM numbered), '
      'draw AS MATERIALIZED (SELECT stratum, part, 1 + floor(random() * total)::bigint AS place FROM stratum, '
      '  LATERAL (SELECT 1 AS part FROM generate_series(1, %s) UNION ALL SELECT 0 FROM generate_series(1, %s)) d), '
      'sampled AS MATERIALIZED (SELECT %s, part FROM draw JOIN numbered USING (stratum, place))',
      numbered, for_training, for_testing, aliases);
  END IF;
  RETURN format(
    'WITH sampled AS MATERIALIZED (SELECT * FROM (SELECT %1$s, CASE WHEN place <= %2$s THEN 1 '
    '  WHEN place <= %2$s + %3$s THEN 0 END AS part FROM (%4$s) n) p WHERE part IS NOT NULL)',
    aliases, for_training, for_testing, numbered);
END $$;
COMMENT ON FUNCTION modelhop.split_query(regclass, text[], text[], double precision, double precision, boolean) IS
'The WITH clause whose sampled has the values of the columns and part: 1 for training, 0 for testing.';

CREATE FUNCTION modelhop.write_split(source regclass, outputs text[], train_proportion double precision,
                                     test_proportion double precision, grouping_cols text, target_cols text,
                                     with_replacement boolean) RETURNS void
LANGUAGE plpgsql SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
  group_names text[] := modelhop.optional_names('grouping_cols', nullif(btrim(grouping_cols), ''));
  target_names text[] := modelhop.optional_names('target_cols', nullif(nullif(btrim(target_cols), ''), '*'));
  columns text[];
  list text;
  aliases text;
  sampled text;
BEGIN
  PERFORM modelhop.check_split(source, train_proportion, test_proportion, with_replacement, group_names, target_names);
  columns := CASE WHEN target_names = '{}' THEN
      ARRAY(SELECT attname::text FROM pg_attribute WHERE attrelid = source AND attnum > 0 AND NOT attisdropped ORDER BY attnum)
    ELSE ARRAY(SELECT g FROM unnest(group_names) WITH ORDINALITY AS u(g, i) WHERE g <> ALL (target_names) ORDER BY i)
         || target_names END;
  SELECT string_agg(format('%I', columns[i]), ', '), string_agg('v' || i, ', ') INTO list, aliases
    FROM generate_subscripts(columns, 1) i;
  sampled := modelhop.split_query(source, columns, group_names, train_proportion, test_proportion, with_replacement);
  IF cardinality(outputs) = 1 THEN
    EXECUTE format('CREATE TABLE %s AS SELECT %s, NULL::integer AS split FROM %s WITH NO DATA', outputs[1], list, source);
    EXECUTE format('%s INSERT INTO %s SELECT %s, part FROM sampled', sampled, outputs[1], aliases);
  ELSE
    EXECUTE format('CREATE TABLE %s AS SELECT %s FROM %s WITH NO DATA', outputs[1], list, source);
    EXECUTE format('CREATE TABLE %s AS SELECT %s FROM %s WITH NO DATA', outputs[2], list, source);
    EXECUTE format('%s, training AS (INSERT INTO %s SELECT %s FROM sampled WHERE part = 1) '
                   'INSERT INTO %s SELECT %3$s FROM sampled WHERE part = 0', sampled, outputs[1], aliases, outputs[2]);
  END IF;
END $$;
COMMENT ON FUNCTION modelhop.write_split(regclass, text[], double precision, double precision, text, text, boolean) IS
'Writes the rows of a table into one output table with a column split, or into two.';

CREATE FUNCTION modelhop.train_test_split(
  source_table text, output_table text, train_proportion double precision, test_proportion double precision DEFAULT NULL,
  grouping_cols text DEFAULT NULL, target_cols text DEFAULT NULL, with_replacement boolean DEFAULT false,
  separate_output_tables boolean DEFAULT false) RETURNS void
LANGUAGE plpgsql
AS $$
BEGIN
  PERFORM modelhop.write_split(
    modelhop.existing_table('source_table', source_table),
    CASE WHEN separate_output_tables THEN ARRAY[modelhop.free_output_table('output_table', output_table, '_train'),
                                                modelhop.free_output_table('output_table', output_table, '_test')]
    ELSE ARRAY[modelhop.free_output_table('output_table', output_table)] END,
    train_proportion, test_proportion, grouping_cols, target_cols, with_replacement);
END $$;
COMMENT ON FUNCTION modelhop.train_test_split(text, text, double precision, double precision, text, text, boolean, boolean)
IS 'Deals the rows of a table by chance (setseed() makes it repeat): into output_table with split 1 for training and 0 for testing, or into output_table_train and output_table_test. With grouping_cols each group is dealt by itself.';
