-- Help for what trains, scores and predicts.

INSERT INTO modelhop.help_function VALUES
('fit_multiple_model', 'runs', true,
$_$Trains every configuration of a table on a packed table, all at the same time, by model hopping.
The data stays on its segments and the models hop from one to the next, so that each learns from all rows as if it
had been trained alone.$_$,
$_$model_output_table, a row for each configuration:
  mst_key integer, model_weights bytea (float32 of get_weights()), model_arch json,
  __dist_key__ integer (of MADlib), training_state bytea (for warm_start), keras_semantics text
model_output_table_info, a row for each configuration:
  mst_key, model_id integer; compile_params, fit_params, model_type text; model_size double precision (KB)
  metrics_elapsed_time double precision[]: seconds from the start; metrics_type text[], loss_type text
  training_metrics_final, training_loss_final double precision: of the last iteration
  training_metrics, training_loss double precision[]: of each iteration in metrics_iters
  validation_metrics_final, validation_loss_final, validation_metrics, validation_loss: the same, or NULL
  status text: how it ended; training_scores, validation_scores jsonb: all losses and metrics by name
  units jsonb: what was trained when and where (unit_timeline); what callbacks did
model_output_table_summary, one row:
  the arguments of the call, names and types of the variables, <dependent>_class_values,
  start_training_time, end_training_time, num_classes integer[], normalizing_const real,
  metrics_iters integer[]: the iterations that were evaluated; seed and how the run went$_$,
'{data,packed,architecture,configuration}',
$_$SELECT modelhop.fit_multiple_model('flower_packed', 'models', 'configuration', 3,
  validation_table => 'flower_val', metrics_compute_frequency => 1, seed => 1);
SELECT rank, mst_key, compile_params, validation_metric FROM modelhop.leaderboard('models') ORDER BY rank;$_$),
('fit', 'runs', true,
$_$Trains one architecture with one set of compile and fit parameters on a packed table.$_$,
$_$model, one row: model_weights bytea (float32 of get_weights()), model_arch json, keras_semantics text,
  training_state bytea (for warm_start)
model_summary, one row:
  the arguments of the call, names and types of the variables, <dependent>_class_values,
  model_type text, model_size double precision (KB), start_training_time, end_training_time,
  metrics_elapsed_time double precision[]: seconds from the start; metrics_type text[], loss_type text
  training_metrics_final, training_loss_final double precision: of the last iteration
  training_metrics, training_loss double precision[]: of each iteration in metrics_iters
  validation_metrics_final, validation_loss_final, validation_metrics, validation_loss: the same, or NULL
  metrics_iters integer[]: the iterations that were evaluated; status, all scores, and how the run went$_$,
'{data,packed,architecture}',
$_$SELECT modelhop.fit('flower_packed', 'model', 'architecture', 1,
  $params$loss='categorical_crossentropy', optimizer='Adam(lr=0.02)', metrics=['accuracy']$params$, 'batch_size=16', 5,
  validation_table => 'flower_val');
SELECT training_loss_final, validation_metrics_final FROM model_summary;$_$),
('plan', 'runs', false,
$_$Tells what fit_multiple_model would run with these arguments, and writes nothing.$_$,
$_$A row for each configuration and one for the whole: parameters, units, memory, estimated seconds, warnings.$_$,
'{data,packed,architecture,configuration}',
$_$SELECT mst_key, parameters, units, warning FROM modelhop.plan('flower_packed', 'models', 'configuration', 3);$_$),
('evaluate', 'runs', true,
$_$Computes loss and metrics of a trained model on a packed table.$_$,
$_$output_table, one row: loss, metric double precision (the first metric, or NULL), metrics_type text[], loss_type text,
  all_metrics double precision[], scores jsonb: every loss and metric by name$_$,
'{data,packed,architecture,model}',
$_$SELECT modelhop.evaluate('model', 'flower_val', 'score');
SELECT loss, metric, metrics_type FROM score;$_$),
('predict', 'runs', true,
$_$Predicts the rows of a table of examples, one a row and not packed, with a trained model.
The values are divided by the constant of the training.$_$,
$_$output_table, a row for each example, output and class:
  the column id_col with its own name and type
  class_name text: the dependent variable; class_value text: the class, or its number from 0 where there are no classes
  prob double precision; rank integer: 1 is the most probable class (not with 'response')
  predicted real[]: where an output is of numbers and not of classes, in one row for each example$_$,
'{data,packed,architecture,model}',
$_$SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'guess', 'response');
SELECT class_value = kind AS is_right, count(*) FROM guess JOIN flower USING (id) GROUP BY 1;
-- The two most probable classes; those above a probability.
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'best_two', 2);
SELECT modelhop.predict('model', 'flower', 'id', 'attributes', 'likely', 0.3);$_$),
('predict_byom', 'runs', true,
$_$Predicts the rows of a table of examples with a model that was trained elsewhere (bring your own model).
An architecture with weights is enough, as load_keras_model stored it.$_$,
$_$output_table, a row for each example, output and class:
  the column id_col with its own name and type
  class_name text: dependent_var, or dependent_var_0, dependent_var_1, ... where there are several outputs
  class_value text: out of class_values, or the class's number from 0
  prob double precision; rank integer: 1 is the most probable class (not with 'response')
  predicted real[]: where an output has no class_values and does not end in softmax or sigmoid, or is not a list of
  numbers: its numbers, in one row for each example$_$,
'{data,packed,architecture,model}',
$_$-- Weights that fit left; others come as a parameter of type bytea from a client that has Keras.
SELECT modelhop.load_keras_model('trained', model_arch, model_weights) FROM model;
SELECT modelhop.predict_byom('trained', 1, 'flower', 'id', 'attributes', 'guess', 'response',
  class_values => ARRAY['daisy', 'rose', 'tulip']);
SELECT class_value = kind AS is_right, count(*) FROM guess JOIN flower USING (id) GROUP BY 1;$_$),
('automl', 'search', true,
$_$Searches for the best configuration: more iterations go to those that do well (hyperband, hyperopt).
It draws configurations from grids and trains them side by side. Less loss is better, on the validation table where
there is one.$_$,
$_$model_selection_table, one row: the best configuration (mst_key, model_id, compile_params, fit_params), with
  model_selection_table_summary
model_output_table, model_output_table_info: as of fit_multiple_model, a row for each configuration that was tried;
  in _info also metrics_iters integer[], and with hyperband s and i integer: its bracket and its last round
model_output_table_summary, one row: as of fit_multiple_model, with automl_method, automl_params, random_state text and
  use_gpus boolean, and without num_iterations, warm_start and metrics_iters, which differ between configurations$_$,
'{data,packed,architecture}',
$_$SELECT modelhop.automl('flower_packed', 'models', 'architecture', 'best', ARRAY[1],
  $grid${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'],
     'optimizer_params_list': [{'optimizer': ['Adam', 'SGD'], 'lr': [0.001, 0.1, 'log']}]}$grid$,
  $grid${'batch_size': [16, 32], 'epochs': [1]}$grid$, 'hyperband', 'R=3, eta=3, skip_last=0', 42,
  validation_table => 'flower_val');
SELECT * FROM best;$_$),
('hyperband_schedule', 'search', true,
$_$Writes how many configurations hyperband would train, for how many iterations.$_$,
$_$schedule_table, a row for each round of each bracket:
  s integer: the bracket, from few iterations to many; i integer: the round in it
  n_i integer: configurations of the round; r_i integer: iterations that each gets in it$_$,
'{}',
$_$SELECT modelhop.hyperband_schedule('schedule', 81, 3, 0);
SELECT * FROM schedule ORDER BY s DESC, i;$_$);

INSERT INTO modelhop.help_argument VALUES
('', 'source_table', 'The packed training table, as training_preprocessor_dl makes it.'),
('', 'model_output_table', E'The table of trained models that is made, with model_output_table_info and\nmodel_output_table_summary beside it; with warm_start the tables of the run that goes on.'),
('fit', 'model', E'The table of the trained model that is made, with model_summary beside it; with warm_start the\ntables of the run that goes on.'),
('', 'compile_params', E'Compile parameters, as Keras''s compile() takes them:\nloss=''categorical_crossentropy'', optimizer=''Adam(lr=0.01)'', metrics=[''accuracy'']'),
('', 'fit_params', E'Fit parameters, as Keras''s fit() takes them: batch_size=32, epochs=1, callbacks=[...].\nepochs counts passes over a segment at each visit.'),
('', 'num_iterations', 'In an iteration each model sees all rows once, times epochs.'),
('', 'use_gpus', 'Whether a GPU must be used: an error where the trainer has none. NULL: as false.'),
('', 'validation_table', 'A packed table, as validation_preprocessor_dl makes it, that is only scored; NULL: none.'),
('', 'metrics_compute_frequency', E'After how many iterations losses and metrics are computed, and always after the last; NULL: then\nalone (each time where a callback needs them).'),
('', 'warm_start', E'Whether the models go on from the output tables that are there, which are replaced: with their\nweights, optimizer state and random streams. NULL: false.'),
('', 'name', 'A name for the run, for people.'),
('', 'description', 'A description of the run, for people.'),
('', 'use_caching', E'true: the trainer holds all segments in memory; false: they are read again for each visit;\nNULL: held where they fit modelhop.cache_memory.'),
('', 'seed', E'A number that makes the run repeatable: initial weights, dropout, order of the examples.\nNULL: a random one, which the summary tells.'),
('', 'shuffle', E'''segment'': all examples of a segment are shuffled for each visit; ''buffer'': those of each buffer;\n''none''; NULL: ''segment'' where the data is held in memory, else ''buffer''.'),
('', 'optimizer_state', E'''carry'': the optimizer''s state goes with the model; ''reset'': dropped at each hop, as MADlib does.'),
('', 'parallel', E'''hop'': the model visits one segment after the other; ''average'': a copy trains on each segment and\nthe weights are averaged after each iteration, as MADlib does.'),
('', 'model_table', 'The output table of fit or fit_multiple_model.'),
('evaluate', 'test_table', 'A packed table, as validation_preprocessor_dl makes it.'),
('', 'test_table', 'The table or view of examples, one a row, not packed.'),
('evaluate', 'output_table', 'The table of the score that is made.'),
('', 'mst_key', 'Which model of fit_multiple_model is meant; NULL for the model of fit.'),
('', 'id_col', 'The column that tells the rows of test_table apart; the output has it.'),
('', 'independent_varname', E'The column of inputs (array, number or bytea), or a list of them with commas between:\none for each input of the model, in its order.'),
('predict', 'output_table', 'The table of predictions that is made.'),
('predict_byom', 'output_table', 'The table of predictions that is made.'),
('', 'pred_type', E'''prob'' or NULL: all classes; ''response'': the most probable one; an integer k > 0: the k most\nprobable; a double precision in [0.0, 1.0): those whose probability is greater.'),
('', 'class_values', E'The classes in the order of the output''s numbers; for several outputs a list for each, filled up\nwith NULL to equal lengths. NULL: classes have no names. A class may be NULL.'),
('predict_byom', 'normalizing_const', 'What the inputs are divided by, 255 for bytes of images; NULL: 1.'),
('', 'dependent_count', 'The number of the model''s outputs; NULL: whatever it has.'),
('', 'automl_method', '''hyperband'' or ''hyperopt'', in any case.'),
('', 'automl_params', E'Of hyperband ''R=6, eta=3, skip_last=0'': most iterations of a configuration, the factor by which\nconfigurations become fewer, brackets that are left out at the end. Of hyperopt ''num_configs=20,\nnum_iterations=5, algorithm=tpe'' (tpe or rand). NULL: these defaults.'),
('automl', 'random_state', E'A number that makes the draws repeatable, whatever the seed of the training; NULL: they follow from seed.'),
('automl', 'metrics_compute_frequency', E'After how many iterations losses and metrics are computed, and always at the end of a round; NULL:\nthen alone (each time where a callback needs them).'),
('automl', 'seed', E'A number that makes the search repeatable: initial weights, dropout, order of the examples, and the\ndraws where random_state is NULL. NULL: a random one, which the summary tells.'),
('automl', 'model_selection_table', 'The table of the best configuration that is made.'),
('automl', 'model_output_table', E'The table of trained models that is made, with model_output_table_info and\nmodel_output_table_summary beside it.'),
('', 'schedule_table', 'The table that is made.'),
('', 'r', 'The most iterations that a configuration gets (R).'),
('', 'eta', 'From round to round one in eta configurations stays, with eta times the iterations.'),
('', 'skip_last', 'How many brackets are left out at the end, those with few configurations and many iterations.');
