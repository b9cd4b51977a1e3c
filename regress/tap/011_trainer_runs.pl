# SPDX-License-Identifier: Apache-2.0
# A run in a trainer seen from outside: who sees its progress, what happens to it when the trainer is killed, when it is
# cancelled, and when its client vanishes.
use strict;
use warnings;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;

my $node = PostgreSQL::Test::Cluster->new('runs');
$node->init;
$node->append_conf('postgresql.conf', "modelhop.slots = 2\n");
$node->start;
$node->safe_psql('postgres', <<'SQL');
CREATE EXTENSION modelhop;
CREATE ROLE analyst;
CREATE ROLE team IN ROLE analyst;
CREATE ROLE monitor IN ROLE pg_read_all_stats;
CREATE ROLE stranger;
CREATE SCHEMA lab AUTHORIZATION analyst;
SET ROLE analyst;
CREATE TABLE lab.source AS
  SELECT i AS id, ARRAY[i % 7, i % 5, i % 3, i % 2]::real[] AS x, (i % 2)::text AS y FROM generate_series(1, 400) AS i;
SELECT modelhop.training_preprocessor_dl('lab.source', 'lab.packed', 'y', 'x');
SELECT modelhop.load_keras_model('lab.arch', $${"class_name": "Sequential", "config": {"name": "s", "layers": [
  {"class_name": "Dense", "config": {"name": "d1", "units": 8, "activation": "relu", "batch_input_shape": [null, 4]}},
  {"class_name": "Dense", "config": {"name": "d2", "units": 2, "activation": "softmax"}}]}}$$::json);
SQL
my $server_start = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

# Waits until the query gives this; the limit only ends a test that has failed.
sub comes_to
{
	my ($query, $expected) = @_;
	return $node->poll_query_until('postgres', $query, $expected);
}

# A run that nobody waits to see the end of.
sub start_run
{
	my ($name) = @_;
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start(
		[
			'psql', '-XAtq', '-v', 'VERBOSITY=verbose', '-d', $node->connstr('postgres'),
			'-c', 'SET ROLE analyst',
			'-c', "SELECT modelhop.fit('lab.packed', 'lab.$name', 'lab.arch', 1, "
			  . "\$\$loss='categorical_crossentropy', optimizer='SGD(lr=0.01)', metrics=['accuracy']\$\$, "
			  . "\$\$batch_size=8, epochs=100\$\$, 1000000)"
		],
		'>', \$session{out}, '2>', \$session{err});
	ok(comes_to("SELECT units_done > 0 FROM modelhop.progress WHERE output_table LIKE '%$name'", 't'),
		"$name runs, and its progress is seen while its transaction is open");
	return \%session;
}

sub trainer { return $node->safe_psql('postgres', q{SELECT substring(modelhop.version() FROM 'trainer PID (\d+)')}); }

sub rows_seen_by { return $node->safe_psql('postgres', "SET ROLE $_[0]; SELECT count(*) FROM modelhop.progress"); }

# Who sees it.
my $run = start_run('first');
is(rows_seen_by('analyst'), '1', 'its role sees it');
is(rows_seen_by('team'), '1', 'a member of its role sees it');
is(rows_seen_by('monitor'), '1', 'a member of pg_read_all_stats sees it');
is(rows_seen_by('postgres'), '1', 'a superuser sees it');
is(rows_seen_by('stranger'), '0', 'others see nothing');
is($node->safe_psql('postgres', "SELECT usename, datname, configurations, iterations FROM modelhop.progress"),
	'analyst|postgres|1|1000000', 'whose it is and what it does');

# The trainer is killed in mid-run.
my $killed = trainer();
kill 'KILL', $killed;
IPC::Run::finish($run->{run});
like($run->{err}, qr/ERROR:  08006: modelhop-trainer \(PID $killed\) ended while/, 'the statement fails and says why');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $server_start, 'the server did not restart');
is($node->safe_psql('postgres', "SELECT count(*) FROM pg_class WHERE relname LIKE 'first%'"), '0', 'nothing was written');

# The next one works; it is cancelled.
$run = start_run('second');
isnt(trainer(), $killed, 'the next run has a new trainer');
$node->safe_psql('postgres', 'SELECT pg_cancel_backend(pid) FROM modelhop.progress');
IPC::Run::finish($run->{run});
like($run->{err}, qr/ERROR:  57014: canceling statement due to user request/, 'the run is cancelled');
ok(comes_to('SELECT count(*) FROM modelhop.progress', '0'), 'and leaves the trainer');

# The client's session is ended.
my $kept = trainer();
$run = start_run('third');
$node->safe_psql('postgres', 'SELECT pg_terminate_backend(pid) FROM modelhop.progress');
IPC::Run::finish($run->{run});
like($run->{err}, qr/57P01/, 'the session is terminated');
ok(comes_to('SELECT count(*) FROM modelhop.progress', '0'), 'its run leaves the trainer');
is(trainer(), $kept, 'which goes on');

# A statement timeout.
my ($code, $out, $err) = $node->psql('postgres',
	"SET ROLE analyst; SET statement_timeout = '2s'; SELECT modelhop.fit('lab.packed', 'lab.fourth', 'lab.arch', 1, "
	  . "\$\$loss='categorical_crossentropy', optimizer='SGD(lr=0.01)', metrics=['accuracy']\$\$, "
	  . "\$\$batch_size=8, epochs=100\$\$, 1000000)");
like($err, qr/canceling statement due to statement timeout/, 'a statement timeout ends a run');
ok(comes_to('SELECT count(*) FROM modelhop.progress', '0'), 'which leaves the trainer too');

$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|server process .* was terminated by signal/, 'no crash in the log');
done_testing();
