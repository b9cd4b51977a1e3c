-- Help for what a run left behind, custom losses and metrics, and the machine.

INSERT INTO modelhop.help_function VALUES
('leaderboard', 'results', false,
$_$The configurations of a run, the best first: by validation metric, else validation loss, else training.$_$,
$_$A row for each configuration: rank, mst_key, parameters, losses and metrics of its weights, status, all scores.$_$,
'{data,packed,architecture,configuration,models}',
$_$SELECT rank, mst_key, compile_params, validation_loss, validation_metric FROM modelhop.leaderboard('models') ORDER BY rank;$_$),
('unit_timeline', 'results', false,
$_$The units of a run in the order in which they started: which configuration was on which segment, when.$_$,
$_$A row for each unit: mst_key, kind, iteration, segment, slot, seconds from the start of the run, examples, loss.$_$,
'{data,packed,architecture,configuration,models}',
$_$SELECT mst_key, kind, iteration, segment, slot FROM modelhop.unit_timeline('models') ORDER BY start_seconds LIMIT 10;$_$),
('plot_curves', 'results', false,
$_$The curves of all configurations of a run, as the text of an SVG picture.$_$, '',
'{data,packed,architecture,configuration,models}',
$_$SELECT modelhop.plot_curves('models', 'loss');$_$),
('plot_timeline', 'results', false,
$_$When each unit of a run was trained, as the text of an SVG picture: a row for each slot.$_$, '',
'{data,packed,architecture,configuration,models}',
$_$SELECT modelhop.plot_timeline('models');$_$),
('model_weights', 'results', false,
$_$The trained weights of a model: the float32 of get_weights(), one array behind the other.$_$, '',
'{data,packed,architecture,model}',
$_$SELECT octet_length(modelhop.model_weights('model'));$_$),
('model_safetensors', 'results', false,
$_$The trained weights of a model as a safetensors file, with names and shapes.$_$, '',
'{data,packed,architecture,model}',
$_$SELECT octet_length(modelhop.model_safetensors('model'));$_$),
('load_custom_function', 'custom functions', true,
$_$Stores a loss or metric of your own under a name that compile parameters may use.
It is the text of a function of y_true and y_pred, written as for Keras's backend, and is read and computed here: nothing
that you store can run code.$_$,
$_$object_table: id integer, name text, description text, object bytea; made where there is none.$_$, '{}',
$_$SELECT modelhop.load_custom_function('custom', $function$
def squared_error(y_true, y_pred):
    import tensorflow.keras.backend as K
    return K.square(y_pred - y_true)
$function$, 'squared_error', 'the square of each difference');
SELECT id, name, description FROM custom;$_$),
('delete_custom_function', 'custom functions', true,
$_$Deletes a loss or metric by its id or its name; the table is dropped with its last row.$_$, '', '{}',
$_$SELECT modelhop.load_top_k_accuracy_function('custom', 2);
SELECT modelhop.delete_custom_function('custom', 'top_2_accuracy');$_$),
('load_top_k_accuracy_function', 'custom functions', true,
$_$Stores the metric top_<k>_accuracy: the share of examples whose class is among the k most probable.$_$,
$_$object_table: a row with the name top_<k>_accuracy; the table is made where there is none.$_$, '{}',
$_$SELECT modelhop.load_top_k_accuracy_function('custom', 2);
SELECT id, name FROM custom;$_$),
('gpu_configuration', 'machine', true,
$_$Writes a table with a row for each GPU of the server's machine.$_$,
$_$output_table, a row for each GPU, none where there are none: hostname text, gpu_descr text$_$, '{}',
$_$SELECT modelhop.gpu_configuration('gpus');
SELECT * FROM gpus;$_$),
('version', 'machine', false,
$_$Version and build of modelhop, and what trainer runs.$_$, '', '{}',
$_$SELECT modelhop.version();$_$),
('check_install', 'machine', false,
$_$Tries each part of the installation, the trainer included, and says what to do where one does not work.$_$,
$_$A row for each part: component text, ok boolean, detail text$_$, '{}',
$_$SELECT * FROM modelhop.check_install();$_$);

INSERT INTO modelhop.help_argument VALUES
('', 'output_table', 'The output table of fit_multiple_model.'),
('', 'metric', '''loss'', or the metric that is drawn; NULL: the run''s metric, or its loss.'),
('load_custom_function', 'object_table', 'The table of custom losses and metrics, an existing or a new one.'),
('delete_custom_function', 'object_table', 'The table of custom losses and metrics.'),
('load_top_k_accuracy_function', 'object_table', 'The table of custom losses and metrics, an existing or a new one.'),
('', 'object', 'The text of the function, or an expression of y_true and y_pred; as bytea in UTF-8.'),
('load_custom_function', 'name', 'The name that compile parameters use.'),
('delete_custom_function', 'name', 'The name that it was stored under.'),
('load_custom_function', 'description', 'A description, for people.'),
('', 'id', 'The id of its row.'),
('', 'k', 'How many of the most probable classes count, more than 0.'),
('gpu_configuration', 'output_table', 'The table that is made.'),
('', 'source', E'''tensorflow'', MADlib''s word for what the trainer can compute on (none where modelhop.device is cpu);\n''nvidia'': what NVIDIA''s driver reports. In any case; NULL: ''tensorflow''.');
