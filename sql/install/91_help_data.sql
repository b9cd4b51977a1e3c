-- Help for what comes before a run: architectures, packed tables, configurations, arrays as bytes.

INSERT INTO modelhop.help_example_step VALUES
('data', 1, $_$-- Flowers of three kinds, which four numbers tell apart.
CREATE TABLE flower AS
  SELECT i AS id, ARRAY[i % 3 + sin(i) / 4, i % 3 / 2.0 + cos(i) / 4, sin(i * 7) / 2, cos(i * 5) / 2]::real[] AS attributes,
         (ARRAY['daisy', 'rose', 'tulip'])[i % 3 + 1] AS kind
  FROM generate_series(1, 240) AS i;$_$),
('packed', 2, $_$SELECT modelhop.training_preprocessor_dl('flower', 'flower_packed', 'kind', 'attributes');
SELECT modelhop.validation_preprocessor_dl('flower', 'flower_val', 'kind', 'attributes', 'flower_packed');$_$),
('architecture', 3, $_$-- A network as the text of Keras's model.to_json(): it becomes model_id 1.
SELECT modelhop.load_keras_model('architecture', $json${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "first", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "last", "units": 3, "activation": "softmax"}}]}}$json$, name => 'small');$_$),
('configuration', 4, $_$SELECT modelhop.generate_model_configs('architecture', 'configuration', ARRAY[1],
  $grid${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'],
     'optimizer_params_list': [{'optimizer': ['Adam', 'SGD'], 'lr': [0.01, 0.001]}]}$grid$,
  $grid${'batch_size': [16], 'epochs': [1]}$grid$);$_$),
('models', 5, $_$SELECT modelhop.fit_multiple_model('flower_packed', 'models', 'configuration', 3,
  validation_table => 'flower_val', metrics_compute_frequency => 1);$_$),
('model', 6, $_$SELECT modelhop.fit('flower_packed', 'model', 'architecture', 1,
  $params$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$params$, 'batch_size=16', 5);$_$);

INSERT INTO modelhop.help_function VALUES
('load_keras_model', 'architectures', true,
$_$Stores an architecture, the text of Keras's model.to_json(), and weights if given, as a row of a table.
The table is made where there is none. An architecture that cannot be trained is stored with a warning.$_$,
$_$The table has the columns
  model_id integer: counts from 1
  model_arch json, model_weights bytea (float32 of get_weights()), name text, description text
  __internal_madlib_id__ text: there because MADlib's tables have it
  keras_semantics text$_$,
'{}',
$_$SELECT modelhop.load_keras_model('architecture', $json${"class_name": "Sequential", "config": {"name": "small", "layers": [
  {"class_name": "Dense", "config": {"name": "first", "units": 10, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "last", "units": 3, "activation": "softmax"}}]}}$json$,
  NULL, 'small', 'two dense layers');
SELECT model_id, name, description FROM architecture;$_$),
('delete_keras_model', 'architectures', true,
$_$Deletes an architecture from its table; the table is dropped with its last row.$_$, '',
'{architecture}',
$_$SELECT modelhop.delete_keras_model('architecture', 1);$_$),
('validate_model', 'architectures', false,
$_$Reads an architecture and tells its size; an error names the layer and the key where it cannot be trained.$_$,
$_$One row: number of layers, shapes of inputs and outputs, parameters, floating-point operations of an example.$_$,
'{architecture}',
$_$SELECT v.layers, v.parameters FROM architecture, modelhop.validate_model(model_arch::text) AS v;$_$),
('describe_model', 'architectures', false,
$_$The layers of a stored architecture, as Keras's summary() shows them.$_$,
$_$A row for each layer: its name and class, output shape, parameters, the layers it is connected to.$_$,
'{architecture}',
$_$SELECT layer, name, class_name, output_shape, parameters FROM modelhop.describe_model('architecture', 1);$_$),
('training_preprocessor_dl', 'data', true,
$_$Packs a table of examples, one a row, into buffers of many examples, shuffled and dealt to segments.
Classes of any type become one-hot rows; arrays of numbers are taken as they are.$_$,
$_$output_table, a row for each buffer:
  a bytea column for each independent and dependent variable, under its own name
  <variable>_shape integer[]: the number of examples, then the shape of one
  buffer_id integer: counts from 0; the segment is buffer_id modulo the number of segments
output_table_summary, one row:
  source_table, output_table text; dependent_varname, independent_varname, dependent_vartype text[]
  <dependent>_class_values: the classes in the order of the one-hot rows; NULL is a class and comes first
  buffer_size integer, normalizing_const real, num_classes integer[]
  distribution_rules: 'all_segments', or as integer[] the dbids of the segments that got data
  and how the values are stored (element types, encoding, num_segments, num_rows, seed, normalizing_consts)$_$,
'{data}',
$_$SELECT modelhop.training_preprocessor_dl('flower', 'flower_packed', 'kind', 'attributes', buffer_size => 50, seed => 1);
SELECT buffer_id, attributes_shape, kind_shape FROM flower_packed ORDER BY buffer_id;
SELECT kind_class_values, num_classes FROM flower_packed_summary;$_$),
('validation_preprocessor_dl', 'data', true,
$_$Packs a table of examples for validation and evaluation, encoded as a training table is.
Classes and constant are those of the training table; the rows keep their order.$_$,
$_$The tables of training_preprocessor_dl: output_table and output_table_summary.$_$,
'{data}',
$_$SELECT modelhop.training_preprocessor_dl('flower', 'flower_packed', 'kind', 'attributes');
SELECT modelhop.validation_preprocessor_dl('flower', 'flower_val', 'kind', 'attributes', 'flower_packed');$_$),
('load_model_selection_table', 'configurations', true,
$_$Makes a table of configurations: all combinations of architectures, compile parameters and fit parameters.
Parameters that mean the same count once. generate_model_configs makes such a table from a grid.$_$,
$_$model_selection_table, a row for each configuration:
  mst_key integer: its key, counts from 1; model_id integer; compile_params, fit_params varchar
model_selection_table_summary, one row: model_arch_table, object_table varchar$_$,
'{architecture}',
$_$SELECT modelhop.load_model_selection_table('architecture', 'configuration', ARRAY[1],
  ARRAY[$params$loss='categorical_crossentropy', optimizer='Adam(lr=0.01)', metrics=['accuracy']$params$,
        $params$loss='categorical_crossentropy', optimizer='SGD(lr=0.1)', metrics=['accuracy']$params$],
  ARRAY['batch_size=16, epochs=1', 'batch_size=64, epochs=1']);
SELECT * FROM configuration ORDER BY mst_key;$_$),
('generate_model_configs', 'configurations', true,
$_$Adds configurations to a table that fit_multiple_model trains: all of a grid, or random ones.
The table is made where there is none. Configurations that it has already are left out.$_$,
$_$The tables of load_model_selection_table: model_selection_table and model_selection_table_summary.$_$,
'{architecture}',
$_$SELECT modelhop.generate_model_configs('architecture', 'configuration', ARRAY[1],
  $grid${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'],
     'optimizer_params_list': [{'optimizer': ['Adam', 'SGD'], 'lr': [0.0001, 0.1, 'log']}]}$grid$,
  $grid${'batch_size': [16, 64], 'epochs': [1]}$grid$, 'random', 5, 42);
SELECT * FROM configuration ORDER BY mst_key;$_$),
('select_models', 'configurations', false,
$_$Makes a table of some configurations of a run, under their keys, to train those for longer.$_$,
$_$The tables of load_model_selection_table: model_selection_table and model_selection_table_summary.$_$,
'{data,packed,architecture,configuration,models}',
$_$SELECT modelhop.select_models('models', 'best', ARRAY(SELECT mst_key FROM modelhop.leaderboard('models') WHERE rank <= 2));
SELECT modelhop.fit_multiple_model('flower_packed', 'models', 'best', 3, warm_start => true);$_$),
('convert_bytea_to_real_array', 'bytes', false,
$_$float32 values, as packed tables and weights hold them, as an array.$_$, '', '{}',
$_$SELECT modelhop.convert_bytea_to_real_array('\x0000803f00000040');  -- {1,2}$_$),
('convert_bytea_to_smallint_array', 'bytes', false,
$_$int16 values, as packed tables hold classes, as an array.$_$, '', '{}',
$_$SELECT modelhop.convert_bytea_to_smallint_array('\x01000200');  -- {1,2}$_$),
('convert_array_to_bytea', 'bytes', false,
$_$The numbers of an array as bytes: float32 of real, int16 of smallint, the last dimension fastest.$_$, '', '{}',
$_$SELECT modelhop.convert_array_to_bytea(ARRAY[1, 2]::real[]);  -- \x0000803f00000040$_$),
('agg_array_concat', 'bytes', false,
$_$Arrays joined along their first dimension, in the order of the rows; NULL is left out.$_$, '', '{}',
$_$SELECT modelhop.agg_array_concat(a ORDER BY i)  -- {1,2,3,4}
FROM (VALUES (1, '{1,2}'::real[]), (2, '{3,4}')) AS v(i, a);$_$);

INSERT INTO modelhop.help_argument VALUES
('', 'keras_model_arch_table', 'The table of architectures, as load_keras_model makes it.'),
('load_keras_model', 'keras_model_arch_table', 'The table of architectures, an existing or a new one.'),
('', 'model_arch', 'The text of Keras''s model.to_json(), of any generation of Keras.'),
('', 'model_weights', 'The float32 of get_weights(), one array behind the other, or a safetensors file; NULL: none.'),
('', 'keras_semantics', E'The generation of Keras whose numbers are meant: k22, tf1, tf2l, tf2n or k3.\nNULL: the one that the file shows.'),
('load_keras_model', 'name', 'A name, for people.'),
('load_keras_model', 'description', 'A description, for people.'),
('', 'model_id', 'The id of an architecture in its table.'),
('training_preprocessor_dl', 'source_table', 'The table or view of examples, one a row.'),
('validation_preprocessor_dl', 'source_table', 'The table or view of examples, one a row.'),
('training_preprocessor_dl', 'output_table', 'The packed table that is made, with output_table_summary beside it.'),
('validation_preprocessor_dl', 'output_table', 'The packed table that is made, with output_table_summary beside it.'),
('', 'dependent_varname', E'The column that is learnt, or a list of them with commas between: one for each output of the\nmodel, in its order.'),
('training_preprocessor_dl', 'independent_varname', E'The column of inputs (array, number or bytea), or a list of them with commas between:\none for each input of the model, in its order.'),
('validation_preprocessor_dl', 'independent_varname', E'The column of inputs (array, number or bytea), or a list of them with commas between:\none for each input of the model, in its order.'),
('', 'training_preprocessor_table', 'The packed training table whose classes and constant are used.'),
('', 'buffer_size', 'Examples in a buffer; NULL: about half a megabyte of them.'),
('training_preprocessor_dl', 'normalizing_const', 'What the inputs are divided by, 255 for bytes of images.'),
('', 'num_classes', E'The number of classes of each dependent variable where there are more than the table has;\nNULL: as many as it has.'),
('', 'distribution_rules', E'Which segments get data: NULL or ''all_segments'', ''gpu_segments'', or the name of a table whose column\ndbid lists them. Segment j, from 0, has dbid j + 2.'),
('', 'num_segments', E'Into how many segments the buffers are dealt; NULL: as many as the trainer has slots\n(validation: as the training table has).'),
('training_preprocessor_dl', 'seed', 'The order of the examples; NULL: a random one.'),
('', 'dependent_encoding', E'''one_hot'', ''class_id'' (for sparse losses) or ''float'' (for regression); NULL: what fits the type.'),
('', 'independent_shape', E'The shape of one example where the column does not tell it, such as ARRAY[28, 28, 1] for bytea.'),
('', 'normalizing_consts', 'A constant for each independent variable, in place of normalizing_const.'),
('', 'sample_weight_varname', 'A column of numbers that say how much a row counts; NULL: each counts one.'),
('', 'model_arch_table', 'The table of architectures, as load_keras_model makes it.'),
('', 'model_selection_table', 'The table of configurations, as generate_model_configs makes it.'),
('load_model_selection_table', 'model_selection_table', 'The table of configurations that is made.'),
('generate_model_configs', 'model_selection_table', 'The table of configurations: a new one, or one that gets more.'),
('select_models', 'model_selection_table', 'The table of configurations that is made.'),
('', 'model_id_list', 'Ids of architectures in model_arch_table.'),
('', 'compile_params_list', E'Compile parameters, as Keras''s compile() takes them: optimizer, loss, metrics, ...'),
('', 'fit_params_list', E'Fit parameters, as Keras''s fit() takes them: batch_size, epochs, callbacks, ...'),
('', 'compile_params_grid', E'A dictionary of lists of compile parameters. optimizer_params_list is a list of such\ndictionaries, of one optimizer''s parameters each. Random search draws from [low, high, ''linear''],\n''log'' or ''log_near_one'', too.'),
('', 'fit_params_grid', 'A dictionary of lists of fit parameters.'),
('', 'search_type', '''grid'': all combinations; ''random'': num_configs of them. The first letters are enough.'),
('', 'num_configs', 'How many configurations random search draws; NULL for a grid.'),
('', 'random_state', 'A number that makes the draws repeatable; NULL: other ones each time.'),
('', 'object_table', 'A table of custom losses and metrics, as load_custom_function makes it; NULL: none.'),
('', 'mst_keys', 'Keys of configurations of the run.'),
('select_models', 'output_table', 'The output table of fit_multiple_model.'),
('', 'bytes', 'The bytes, in the machine''s order (little-endian).'),
('', 'numbers', 'An array of any dimensions, without NULL.');
