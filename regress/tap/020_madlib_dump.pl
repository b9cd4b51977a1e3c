# SPDX-License-Identifier: Apache-2.0
# A database with both extensions survives pg_dump and restore, wherever MADlib's names were installed, and its models
# predict as before.
use strict;
use warnings;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('madlib_dump');
$node->init;
$node->start;

my $predictions = q{SELECT md5(string_agg(guess::text, ',' ORDER BY id, rank)) FROM guess};

foreach my $schema ('madlib', 'another place') {
    my $name = $schema eq 'madlib' ? 'at_home' : 'elsewhere';
    my $where = $schema eq 'madlib' ? '' : qq{CREATE SCHEMA "$schema"; };
    my $option = $schema eq 'madlib' ? '' : qq{ SCHEMA "$schema"};
    $node->safe_psql('postgres', "CREATE DATABASE $name");
    $node->safe_psql('postgres', "CREATE DATABASE ${name}_restored");
    $node->safe_psql($name, qq{
        ${where}CREATE EXTENSION modelhop_madlib$option CASCADE;
        SET search_path = "$schema", public;
        CREATE TABLE public.flower AS SELECT i AS id, ARRAY[i, -i]::real[] AS x, i % 2 AS y FROM generate_series(1, 40) i;
        SELECT load_keras_model('public.arch', '{"class_name": "Sequential", "config": {"name": "s", "layers": [
          {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}');
        SELECT training_preprocessor_dl('flower', 'public.packed', 'y', 'x', 10);
        SELECT load_model_selection_table('arch', 'public.mst', ARRAY[1], ARRAY['loss=''categorical_crossentropy'', optimizer=''sgd'''], ARRAY['batch_size=4']);
        SELECT madlib_keras_fit_multiple_model('packed', 'public.model', 'mst', 2, NULL);
        SELECT madlib_keras_predict('model', 'flower', 'id', 'x', 'public.guess', mst_key => 1);
        CREATE TABLE "$schema".kept AS SELECT 1 AS i;
    });
    my $before = $node->safe_psql($name, $predictions);
    my $dump = "$PostgreSQL::Test::Utils::tmp_check/$name.sql";
    command_ok([ 'pg_dump', '-h', $node->host, '-p', $node->port, '-f', $dump, $name ], "dump, functions in $schema");
    unlike(slurp_file($dump), qr/CREATE FUNCTION/, 'functions are told by their extension alone');
    command_ok([ 'psql', '-X', '-q', '-v', 'ON_ERROR_STOP=1', '-h', $node->host, '-p', $node->port, '-f', $dump, "${name}_restored" ], 'restore');
    is($node->safe_psql("${name}_restored", $predictions), $before, 'the predictions are there');
    $node->safe_psql("${name}_restored", qq{
        DROP TABLE guess;
        SELECT "$schema".madlib_keras_predict('model', 'flower', 'id', 'x', 'guess', mst_key => 1);
        SELECT "$schema".madlib_keras_fit_multiple_model('packed', 'model', 'mst', 1, NULL, warm_start => true);
    });
    is($node->safe_psql("${name}_restored", $predictions), $before, 'the restored model predicts as before');
    is($node->safe_psql("${name}_restored", qq{SELECT first_iteration FROM model_summary}), 3, 'and goes on training');
    is($node->safe_psql("${name}_restored", qq{SELECT nspname FROM pg_proc p JOIN pg_namespace n ON n.oid = pronamespace WHERE proname = 'madlib_keras_automl'}),
        $schema, 'the functions are where they were');
}

$node->stop;
done_testing();
