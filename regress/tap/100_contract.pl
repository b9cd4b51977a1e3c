# SPDX-License-Identifier: Apache-2.0
# The contract: a run by model hopping equals, bit for bit, each configuration trained alone over its recorded units by
# a program that links the engine and nothing else. At 1, 2 and 3 slots, one and four segments, cached and streaming,
# and after a restart of the trainer between two calls. The comparison must fail where one unit's order, the seed or the optimizer state
# is altered.
use strict;
use warnings;
use Digest::MD5;
use JSON::PP;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $replay = "$ENV{MODELHOP_BUILD}/test/replay/modelhop-replay";
my $node = PostgreSQL::Test::Cluster->new('contract');
$node->init;
$node->append_conf('postgresql.conf', "fsync = off\nmodelhop.slots = 1\n");
$node->start;

sub sql { return $node->safe_psql('postgres', shift); }

sub sequential {
    my @layers = @_;
    my $number = 0;
    $_->{config}{name} = 'layer_' . $number++ for @layers;
    return JSON::PP->new->canonical->encode({
        class_name => 'Sequential', keras_version => '2.10.0', backend => 'tensorflow',
        config => { name => 'net', layers => \@layers } });
}

sub layer { my ($class, %config) = @_; return { class_name => $class, config => \%config }; }

sub functional {
    my ($class, $name, $inputs, %config) = @_;
    return { class_name => $class, name => $name, config => { name => $name, %config },
        inbound_nodes => @$inputs ? [ [ map { [ $_, 0, 0, {} ] } @$inputs ] ] : [] };
}

my $mlp = sequential(
    layer('Flatten', batch_input_shape => [undef, 28, 28, 1]),
    layer('Dense', units => 24, activation => 'relu'), layer('Dense', units => 10, activation => 'softmax'));
my $cnn = sequential(
    layer('Conv2D', filters => 6, kernel_size => [3, 3], strides => [2, 2], padding => 'same',
        batch_input_shape => [undef, 28, 28, 1]),
    layer('BatchNormalization'), layer('Activation', activation => 'relu'), layer('MaxPooling2D', pool_size => [2, 2]),
    layer('Dropout', rate => 0.25), layer('Flatten'), layer('Dense', units => 10, activation => 'softmax'));

$node->safe_psql('postgres', 'CREATE EXTENSION modelhop; CREATE TABLE images (id integer, class_name text, image bytea)');
my $csv = "$ENV{MODELHOP_DATA}/fashion_mnist/train.csv.gz";
sql("COPY images FROM PROGRAM 'gzip -dc $csv | head -n 501' (FORMAT csv, HEADER)");
for my $segments (1, 4) {
    sql("SELECT modelhop.training_preprocessor_dl('images', 'packed_$segments', 'class_name', 'image', 30, 255, NULL, NULL,"
        . " num_segments => $segments, seed => 5, independent_shape => ARRAY[28,28,1])");
}
sql("SELECT modelhop.load_keras_model('arch', '$_'::json)") for $mlp, $cnn;
my $loss = "loss='categorical_crossentropy', metrics=['accuracy']";
sql("SELECT modelhop.load_model_selection_table('arch', 'mst', ARRAY[1,2],"
    . " ARRAY[\$\$optimizer='SGD(lr=0.05, momentum=0.9)', $loss\$\$, \$\$optimizer='Adam(lr=0.002)', $loss\$\$],"
    . " ARRAY['batch_size=16, epochs=1', 'batch_size=48, epochs=2'])");

sub export_rows {
    my ($segments) = @_;
    my $path = $node->basedir . "/packed_$segments.copy";
    sql("COPY (SELECT buffer_id, image_shape[1], image, class_name FROM packed_$segments ORDER BY buffer_id) TO '$path' (FORMAT binary)");
    return $path;
}
my %rows = map { $_ => export_rows($_) } 1, 4;

sub fit {
    my ($out, $segments, $options) = @_;
    sql("SELECT modelhop.fit_multiple_model('packed_$segments', '$out', 'mst', 2, FALSE, $options)");
}

# The units of one call and the rates that callbacks set, per configuration, and how the call was set.
sub recorded_call {
    my ($out) = @_;
    my $text = sql("SELECT json_build_object('seed', s.seed::text, 'shuffle', s.shuffle, 'reset_optimizer', s.optimizer_state = 'reset',"
        . " 'units', (SELECT json_object_agg(i.mst_key, (SELECT json_agg(json_build_object('iteration', u->'iteration', 'segment', u->'segment')"
        . "   ORDER BY (u->>'start')::float8) FROM jsonb_array_elements(i.units) u WHERE u->>'kind' = 'train')) FROM ${out}_info i),"
        . " 'rates', (SELECT json_object_agg(i.mst_key, i.callback_events) FROM ${out}_info i))"
        . " FROM ${out}_summary s");
    return decode_json($text);
}

sub recorded_run {
    my ($out, $segments, @calls) = @_;
    return recorded_run_of({ independent => [ { type => 'uint8', scale => 1 / 255 } ], dependent => [ { type => 'int16' } ] },
        $out, $segments, @calls);
}

# The same for any arrays of the packed table.
sub recorded_run_of {
    my ($arrays, $out, $segments, @calls) = @_;
    my $configurations = decode_json(sql("SELECT json_agg(json_build_object('mst_key', i.mst_key, 'architecture', m.model_arch,"
        . " 'compile_params', i.compile_params, 'fit_params', i.fit_params,"
        . " 'custom_functions', (SELECT coalesce(s.custom_functions, '{}') FROM ${out}_summary s))) FROM ${out}_info i JOIN $out m USING (mst_key)"));
    for my $configuration (@$configurations) {
        $configuration->{calls} = [ map {
            my %call = %$_;
            $call{units} = [ @{ $_->{units}{ $configuration->{mst_key} } } ];
            $call{rates} = [ @{ $_->{rates}{ $configuration->{mst_key} } } ];
            \%call
        } @calls ];
    }
    return { segments => $segments, %$arrays, configurations => $configurations };
}

# Digests of all weights and training states after replaying the run alone.
sub replayed {
    my ($run, $segments) = @_;
    my $folder = PostgreSQL::Test::Utils::tempdir();
    open my $file, '>', "$folder/run.json" or die $!;
    print $file JSON::PP->new->canonical->encode($run);
    close $file;
    system_or_bail($replay, "$folder/run.json", $rows{$segments}, $folder);
    my %digests;
    for my $configuration (@{ $run->{configurations} }) {
        for my $part ('weights', 'training_state') {
            open my $state, '<:raw', "$folder/$configuration->{mst_key}.$part" or die $!;
            $digests{"$configuration->{mst_key} $part"} = Digest::MD5->new->addfile($state)->hexdigest;
        }
    }
    return \%digests;
}

sub trained {
    my ($out) = @_;
    my %digests;
    for my $row (split /\n/, sql("SELECT mst_key, md5(model_weights), md5(training_state) FROM $out")) {
        my ($key, $weights, $state) = split /\|/, $row;
        @digests{ "$key weights", "$key training_state" } = ($weights, $state);
    }
    return \%digests;
}

sub restart_with_slots {
    my ($slots) = @_;
    $node->adjust_conf('postgresql.conf', 'modelhop.slots', $slots);
    $node->restart;
}

for my $slots (1, 2, 3) {
    restart_with_slots($slots);
    for my $segments (1, 4) {
        for my $caching ('TRUE', 'FALSE') {
            my $out = "out_${slots}_${segments}_" . lc $caching;
            fit($out, $segments, "use_caching => $caching, shuffle => 'buffer', seed => 42");
            is_deeply(replayed(recorded_run($out, $segments, recorded_call($out)), $segments), trained($out),
                "$slots slots, $segments segments, caching $caching");
        }
    }
}
is(sql("SELECT count(DISTINCT md5(model_weights)) FROM (SELECT mst_key, model_weights FROM out_1_1_true UNION ALL"
    . " SELECT mst_key, model_weights FROM out_3_1_false) runs WHERE mst_key = 1"), '1',
    'one segment: cached at one slot and streaming at three give the same bits');

# Segments with one buffer and with none: models visit those that hold rows. A run on fewer slots gives the same bits.
sql("CREATE TABLE packed_uneven AS SELECT * FROM packed_4 WHERE buffer_id % 4 IN (0, 3) OR buffer_id = 1;"
    . " CREATE TABLE packed_uneven_summary AS TABLE packed_4_summary");
$rows{uneven} = export_rows('uneven');
for my $caching ('TRUE', 'FALSE') {
    my $out = 'uneven_' . lc $caching;
    fit($out, 'uneven', "use_caching => $caching, shuffle => 'buffer', seed => 42");
    my $call = recorded_call($out);
    is_deeply([ sort map { $_->{segment} } @{ $call->{units}{1} } ], [ 0, 0, 1, 1, 3, 3 ], "uneven segments, caching $caching: which are visited");
    is_deeply(replayed(recorded_run($out, 4, $call), 'uneven'), trained($out), "uneven segments, caching $caching");
}
sql("SET modelhop.run_slots = 1; SELECT modelhop.fit_multiple_model('packed_uneven', 'uneven_one_slot', 'mst', 2, use_caching => TRUE, shuffle => 'buffer', seed => 42)");
is_deeply(trained('uneven_one_slot'), trained('uneven_true'), 'one slot of three gives the same bits');

fit('whole', 4, "use_caching => TRUE, seed => -7");
my $whole = recorded_call('whole');
is($whole->{shuffle}, 'segment', 'a cached run permutes whole segments by default');
is_deeply(replayed(recorded_run('whole', 4, $whole), 4), trained('whole'), 'whole segments permuted');

my $first = recorded_call('whole');
$node->restart;
fit('whole', 4, "warm_start => TRUE, use_caching => TRUE, seed => 8");
my $second = recorded_call('whole');
my $both = recorded_run('whole', 4, $first, $second);
my $trained = trained('whole');
is_deeply(replayed($both, 4), $trained, 'two calls with a restart of the trainer between them');

# A custom loss and a custom metric, which the trainer and the replay both read from the text that the summary keeps.
sql("SELECT modelhop.load_custom_function('objects', 'K.mean(K.square(y_pred - y_true) * (1 + 3 * y_true), axis=-1)'::text, 'my_loss')");
sql("SELECT modelhop.load_custom_function('objects', 'K.max(K.abs(y_pred - y_true), axis=-1)'::text, 'worst')");
sql("SELECT modelhop.load_model_selection_table('arch', 'mst_custom', ARRAY[1,2],"
    . " ARRAY[\$\$optimizer='Adam(lr=0.002)', loss='my_loss', metrics=['worst']\$\$], ARRAY['batch_size=16'], 'objects')");
sql("SELECT modelhop.fit_multiple_model('packed_4', 'custom', 'mst_custom', 2, FALSE, use_caching => TRUE, seed => 6)");
is_deeply(replayed(recorded_run('custom', 4, recorded_call('custom')), 4), trained('custom'), 'a custom loss');

# Several inputs and outputs, sample weights, and rates that a callback sets, in two calls.
my $two = JSON::PP->new->canonical->encode({
    class_name => 'Functional', keras_version => '2.10.0', backend => 'tensorflow',
    config => { name => 'two', layers => [
        functional('InputLayer', 'size_in', [], batch_input_shape => [undef, 3]),
        functional('InputLayer', 'place_in', [], batch_input_shape => [undef, 1]),
        functional('Dense', 'wide', ['size_in'], units => 8, activation => 'tanh'),
        functional('Concatenate', 'all', ['wide', 'place_in'], axis => -1),
        functional('Dense', 'demand_out', ['all'], units => 2, activation => 'softmax'),
        functional('Dense', 'price_out', ['all'], units => 1, activation => 'linear') ],
        input_layers => [ ['size_in', 0, 0], ['place_in', 0, 0] ], output_layers => [ ['demand_out', 0, 0], ['price_out', 0, 0] ] } });
sql("CREATE TABLE shop AS SELECT ARRAY[sin(i), cos(i), sin(i * 3)]::real[] AS size, (i % 7)::smallint AS place,"
    . " (sin(i) > 0)::text AS demand, ARRAY[sin(i) * 2]::real[] AS price, 1 + i % 3 AS weight FROM generate_series(1, 400) i");
sql("SELECT modelhop.training_preprocessor_dl('shop', 'shop_packed', 'demand, price', 'size, place', 25, num_segments => 2, seed => 5,"
    . " normalizing_consts => '{1,7}', sample_weight_varname => 'weight')");
sql("SELECT modelhop.load_keras_model('shop_arch', '$two'::json)");
sql("SELECT modelhop.load_model_selection_table('shop_arch', 'shop_mst', ARRAY[1],"
    . " ARRAY[\$\$optimizer='SGD(lr=0.05, momentum=0.9)', loss=['categorical_crossentropy', 'mse']\$\$],"
    . " ARRAY['batch_size=16', 'batch_size=16, callbacks=[LearningRateScheduler(ExponentialDecay(0.1, decay_steps=1, decay_rate=0.5))]'])");
$rows{shop} = $node->basedir . '/shop.copy';
sql("COPY (SELECT buffer_id, size_shape[1], size, place, demand, price, weight FROM shop_packed ORDER BY buffer_id) TO '$rows{shop}' (FORMAT binary)");
my $arrays = { independent => [ { type => 'float32' }, { type => 'uint8', scale => 1 / 7 } ],
    dependent => [ { type => 'int16' }, { type => 'float32' } ], has_sample_weight => JSON::PP::true };
sql("SELECT modelhop.fit_multiple_model('shop_packed', 'shop_out', 'shop_mst', 2, FALSE, seed => 3)");
my $shop_first = recorded_call('shop_out');
sql("SELECT modelhop.fit_multiple_model('shop_packed', 'shop_out', 'shop_mst', 1, FALSE, warm_start => TRUE)");
my @shop = ($shop_first, recorded_call('shop_out'));
is_deeply(replayed(recorded_run_of($arrays, 'shop_out', 2, @shop), 'shop'), trained('shop_out'),
    'several columns, sample weights and rates by a callback');
my $unweighted = recorded_run_of($arrays, 'shop_out', 2, @shop);
$_->{calls}[0]{rates} = [] for @{ $unweighted->{configurations} };
is(scalar(grep { replayed($unweighted, 'shop')->{$_} ne trained('shop_out')->{$_} } '1 weights', '2 weights'), 1,
    'without its rates, the configuration with a callback ends with other weights');

# Nothing of the following may go unnoticed.
my %alterations = (
    'two units swapped' => sub { @{ $_[0]{units} }[0, 1] = @{ $_[0]{units} }[1, 0] },
    'another seed' => sub { $_[0]{seed} = '43' },
    'the optimizer reset at each hop' => sub { $_[0]{reset_optimizer} = JSON::PP::true },
    'another iteration number' => sub { $_[0]{units}[2] = { %{ $_[0]{units}[2] }, iteration => 9 } },
    'no shuffling' => sub { $_[0]{shuffle} = 'none' },
);
for my $what (sort keys %alterations) {
    my $altered = recorded_run('whole', 4, $first, $second);
    $alterations{$what}->($_->{calls}[1]) for @{ $altered->{configurations} };
    my $digests = replayed($altered, 4);
    my @same = grep { $digests->{$_} eq $trained->{$_} } grep { /weights/ } keys %$trained;
    is(scalar @same, 0, "$what: no configuration ends with the same weights");
}

$node->stop;
done_testing();
