# SPDX-License-Identifier: Apache-2.0
# A search is the same at any number of slots: configurations drawn, losses, winner, weights. And it leaves nothing
# behind where it is cancelled or where its trainer dies.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('search');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmodelhop.slots = 1\n");
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

sql('CREATE EXTENSION modelhop; CREATE TABLE images (id integer, class_name text, image bytea)');
my $csv = "$ENV{MODELHOP_DATA}/fashion_mnist/train.csv.gz";
sql("COPY images FROM PROGRAM 'gzip -dc $csv | head -n 401' (FORMAT csv, HEADER)");
sql("SELECT modelhop.training_preprocessor_dl('images', 'packed', 'class_name', 'image', 25, 255, NULL, NULL,"
    . " num_segments => 4, seed => 5, independent_shape => ARRAY[28,28,1])");
my $network = q({"class_name": "Sequential", "keras_version": "2.10.0", "backend": "tensorflow", "config": {"name": "net", "layers": [)
    . q({"class_name": "Flatten", "config": {"name": "f", "batch_input_shape": [null, 28, 28, 1]}},)
    . q({"class_name": "Dense", "config": {"name": "d", "units": 12, "activation": "relu"}},)
    . q({"class_name": "Dropout", "config": {"name": "r", "rate": 0.2}},)
    . q({"class_name": "Dense", "config": {"name": "o", "units": 10, "activation": "softmax"}}]}});
sql("SELECT modelhop.load_keras_model('arch', '$network'::json)");

my $space = q($${'loss': ['categorical_crossentropy'], 'metrics': ['accuracy'], 'optimizer_params_list': [)
    . q({'optimizer': ['Adam', 'RMSprop'], 'lr': [0.0001, 0.1, 'log']}, {'optimizer': ['SGD'], 'lr': [0.001, 10, 'log'], 'momentum': [0.1, 0.9, 'linear']}]}$$,)
    . q( $${'batch_size': [16, 32, 64]}$$);

sub search {
    my ($out, $options) = @_;
    return "SELECT modelhop.automl('packed', '$out', 'arch', '${out}_best', ARRAY[1], $space, $options, random_state => 7, seed => 3)";
}

# Everything that a search decides.
sub result {
    my ($out) = @_;
    return sql("SELECT i.mst_key, compile_params, fit_params, status, metrics_iters, training_loss, md5(model_weights), md5(training_state),"
        . " EXISTS (SELECT FROM ${out}_best b WHERE b.mst_key = i.mst_key) FROM ${out}_info i JOIN $out USING (mst_key) ORDER BY 1");
}

my %methods = (
    hyperband => "'hyperband', 'R=9, eta=3'",
    tpe => "'hyperopt', 'num_configs=32, num_iterations=1'",
);
my %first;
for my $slots (1, 2, 5) {
    $node->adjust_conf('postgresql.conf', 'modelhop.slots', $slots);
    $node->restart;
    for my $method (sort keys %methods) {
        sql(search("${method}_$slots", $methods{$method}));
        my $result = result("${method}_$slots");
        $first{$method} //= $result;
        is($result, $first{$method}, "$method at $slots slots");
    }
}
is(sql("SELECT count(*), count(DISTINCT compile_params) > 25 FROM tpe_1_info"), '32|t', 'TPE names different configurations');
is(sql("SELECT string_agg(concat_ws('/', s, i, n), ' ' ORDER BY s DESC, i) FROM (SELECT s, i, count(*) AS n FROM hyperband_1_info GROUP BY 1, 2) t"),
    '2/0/6 2/1/2 2/2/1 1/0/2 1/1/1 0/0/3', 'hyperband keeps a third of each rung');
# Brackets train side by side: none waits for another one's last rung.
is(sql("SELECT min(start_seconds) FILTER (WHERE s = 0) < max(start_seconds) FILTER (WHERE s = 2)"
    . " FROM modelhop.unit_timeline('hyperband_1') JOIN hyperband_1_info USING (mst_key)"), 't', 'brackets run side by side');

# A search that does not end by itself.
my $long = search('gone', "'hyperopt', 'num_configs=40, num_iterations=100000'");
sub wait_for_units {
    $node->poll_query_until('postgres', "SELECT units_done > 20 FROM modelhop.progress WHERE purpose = 'automl'") or die 'the search does not begin';
}
sub nothing_is_left {
    my ($why) = @_;
    is(sql("SELECT count(*) FROM pg_class WHERE relname ~ '^gone'"), '0', "$why: no table stays");
    ok($node->poll_query_until('postgres', "SELECT count(*) = 0 FROM modelhop.progress"), "$why: no run stays");
}
for my $way ('pg_cancel_backend', 'pg_terminate_backend') {
    my ($out, $err) = ('', '');
    my $session = IPC::Run::start([ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c', $long ], '>', \$out, '2>', \$err);
    wait_for_units();
    is(sql("SELECT $way(pid) FROM modelhop.progress WHERE purpose = 'automl'"), 't', "$way finds it");
    IPC::Run::finish($session);
    like($err, qr/(canceling|terminating)/, "$way ends it");
    nothing_is_left($way);
}
is(sql(search('after', "'hyperband', 'R=2, eta=2'")), '', 'the next search runs');

$node->stop;
done_testing();
