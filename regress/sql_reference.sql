-- Prints docs/sql-reference.md out of the catalog and the texts of modelhop.help: see regress/sql_reference.
SET client_min_messages = error;
CREATE EXTENSION IF NOT EXISTS modelhop;
\pset format unaligned
\t on

-- Text in a cell of a table.
CREATE FUNCTION pg_temp.cell(text) RETURNS text LANGUAGE sql AS $$
  SELECT coalesce(replace(regexp_replace($1, '\s*\n\s*', ' ', 'g'), '|', '\|'), '')
$$;
-- A text without the spaces that its lines have in common.
CREATE FUNCTION pg_temp.block(text) RETURNS text LANGUAGE sql AS $$ SELECT E'```text\n' || btrim($1, E'\n') || E'\n```' $$;

\qecho '# SQL reference'
\qecho
\qecho 'Written by `regress/sql_reference write` from the catalog and from the texts that `modelhop.help` shows; a test compares. At the prompt `SELECT modelhop.help()`'
\qecho 'lists the functions, `SELECT modelhop.help(\'fit\', \'usage\')` describes one and `\'example\'` shows a script that runs. Names of tables and columns follow SQL\'s rules for'
\qecho 'identifiers, quotes included, and are looked up in the caller\'s `search_path`. Everything runs with the rights of the caller.'

SELECT E'\n## ' || upper(left(f.topic, 1)) || substr(f.topic, 2) || E'\n' || string_agg(concat_ws(E'\n',
    '', '### ' || f.function_name, '', f.purpose, '', '```sql',
    (SELECT string_agg(regexp_replace(modelhop.help_signature(c, 'modelhop.' || f.function_name), '^  ', ''), E'\n')
     FROM modelhop.help_calls(f.function_name, 'modelhop.' || f.function_name) c), '```', '',
    E'| argument | type | default | meaning |\n|---|---|---|---|\n' ||
    (SELECT string_agg(format('| %s | %s | %s | %s |', p.name, pg_temp.cell(p.types), pg_temp.cell(p.default_value),
        pg_temp.cell((SELECT a.meaning FROM modelhop.help_argument a
                      WHERE a.argument = p.name AND a.function_name IN (f.function_name, '')
                      ORDER BY a.function_name DESC LIMIT 1))), E'\n' ORDER BY p.place)
     FROM (SELECT q.name, min(q.place) AS place, string_agg(DISTINCT q.type, ' or ') AS types, min(q.default_value) AS default_value
           FROM modelhop.help_calls(f.function_name, 'modelhop.' || f.function_name) c, modelhop.help_parameters(c) q
           GROUP BY q.name) p),
    E'\n' || pg_temp.block(nullif(f.output, ''))), E'\n' ORDER BY f.function_name)
FROM modelhop.help_function f GROUP BY f.topic
ORDER BY array_position(ARRAY['data', 'architectures', 'configurations', 'runs', 'search', 'results', 'custom functions', 'machine', 'bytes'], f.topic), f.topic;

\qecho
\qecho '## Views'
SELECT format(E'\n### %s\n\n%s\n\n| column | type |\n|---|---|\n%s', c.relname, obj_description(c.oid, 'pg_class'),
  (SELECT string_agg(format('| %s | %s |', a.attname, format_type(a.atttypid, a.atttypmod)), E'\n' ORDER BY a.attnum)
   FROM pg_attribute a WHERE a.attrelid = c.oid AND a.attnum > 0 AND NOT a.attisdropped))
FROM pg_class c WHERE c.relnamespace = 'modelhop'::regnamespace AND c.relkind = 'v' ORDER BY c.relname;

\qecho
\qecho '## Settings'
\qecho
\qecho '| setting | default | unit | set by | meaning |'
\qecho '|---|---|---|---|---|'
SELECT format('| %s | %s | %s | %s | %s |', name, CASE WHEN name IN ('modelhop.slots', 'modelhop.memory_limit') THEN 'of the machine' ELSE boot_val END,
  unit, CASE context WHEN 'user' THEN 'anybody, `SET`' ELSE 'the configuration file' END, pg_temp.cell(concat_ws(' ', short_desc, extra_desc)))
FROM pg_settings WHERE name LIKE 'modelhop.%' ORDER BY name;

\qecho
\qecho '## Errors'
\qecho
\qecho 'A refusal comes before anything is written. Its message names the argument and the value (and `mst_key`, where one configuration is at fault), its hint says what to do.'
\qecho
\qecho '| SQLSTATE | what happened |'
\qecho '|---|---|'
\qecho '| 22023 invalid_parameter_value | a value that cannot be: an unknown name or key, a number out of its range, data and network that do not go together, a text that cannot be read (with the position) |'
\qecho '| 22004 null_value_not_allowed | NULL or nothing where a value is needed, also among the data |'
\qecho '| 22P02 invalid_text_representation | not an array, a number or a json: from PostgreSQL itself |'
\qecho '| 22003 numeric_value_out_of_range | a number that does not fit its type |'
\qecho '| 2202E array_subscript_error, 42804 datatype_mismatch | arrays of different dimensions; a column of a type that cannot be packed |'
\qecho '| 42P01 undefined_table, 42703 undefined_column, 42704 undefined_object, 42809 wrong_object_type | a table, a column or a model that is not there, or not what is needed |'
\qecho '| 42P07 duplicate_table, 42701 duplicate_column | an output table exists already; columns of one name |'
\qecho '| 42602 invalid_name, 42622 name_too_long | not the name of a table; no room for the ending of its summary |'
\qecho '| 42501 insufficient_privilege, 25006 read_only_sql_transaction | what the caller may not read or make |'
\qecho '| 0A000 feature_not_supported | a layer, an option or a form that Keras has and modelhop has not |'
\qecho '| 53200 out_of_memory, 53400 configuration_limit_exceeded, 54000 program_limit_exceeded | more than a limit, with both sizes; no background worker is free |'
\qecho '| 40001 serialization_failure | another session changed what this one read |'
\qecho '| 57014 query_canceled | cancelled |'
\qecho '| 57P03 cannot_connect_now, 08006 connection_failure, 58P01 undefined_file | the trainer did not start, ended, or is not installed |'
