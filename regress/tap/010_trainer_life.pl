# SPDX-License-Identifier: Apache-2.0
# The life of a trainer: started on first need, one for all sessions, replaced after a crash, gone with its server and
# after its idle timeout. The server itself never restarts.
use strict;
use warnings;
use Cwd;
use IPC::Run;
use PostgreSQL::Test::Cluster;
use PostgreSQL::Test::Utils;
use Test::More;
use Time::HiRes qw(usleep);

my $node = PostgreSQL::Test::Cluster->new('life');
$node->init;
$node->append_conf('postgresql.conf', "modelhop.slots = 3\nmodelhop.trainer_nice = 5\n");
$node->start;
$node->safe_psql('postgres', 'CREATE EXTENSION modelhop');
my $server_start = $node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()');

sub version { return $node->safe_psql('postgres', 'SELECT modelhop.version()'); }
sub running_trainer { return version() =~ /trainer PID (\d+)/ ? $1 : 0; }

# Starts one where none runs.
sub needed_trainer
{
	my $row = $node->safe_psql('postgres',
		"SELECT ok, detail FROM modelhop.check_install() WHERE component = 'trainer'");
	return $row =~ /^t\|PID (\d+)/ ? $1 : 0;
}

# Waits until it holds; the limit only ends a test that has failed.
sub comes_true
{
	my ($condition) = @_;
	for (1 .. 10 * $PostgreSQL::Test::Utils::timeout_default)
	{
		return 1 if $condition->();
		usleep(100_000);
	}
	return 0;
}

# A process that has ended counts as gone even before its parent has asked for its status.
sub is_gone
{
	my ($pid) = @_;
	open(my $file, '<', "/proc/$pid/stat") or return 1;
	my $line = <$file> // '';
	return $line eq '' || $line =~ /\) Z /;
}

# Looking starts nothing.
is(running_trainer(), 0, 'no trainer at first');
is($node->safe_psql('postgres', 'SELECT count(*) FROM modelhop.progress'), '0', 'no run at first');
ok(!-e $node->data_dir . '/modelhop', 'looking makes no files');

# First need.
my $first = needed_trainer();
ok($first, 'the trainer starts on first need');
is(needed_trainer(), $first, 'another session meets the same trainer');
like(version(), qr/ 3 slots$/, 'settings of the configuration file reach the trainer');
my @facts = stat($node->data_dir . '/modelhop');
is($facts[2] & 07777, 0700, 'its directory is closed to others');

# What it inherits from the server.
my $environment = slurp_file("/proc/$first/environ");
unlike($environment, qr/PGDATA|PG_GRANDPARENT_PID/, 'none of the environment of the server');
my @files = map { readlink($_) // '' } glob("/proc/$first/fd/*");
is(scalar(grep { m{/(base|global|pg_wal|lock$)} } @files), 0, 'none of the files of the server');

# A crash of the trainer is its own.
kill 'KILL', $first;
ok(comes_true(sub { is_gone($first) }), 'the trainer was killed');
my $second = needed_trainer();
ok($second && $second != $first, 'the next statement that needs one starts a new trainer');
is($node->safe_psql('postgres', 'SELECT pg_postmaster_start_time()'), $server_start, 'the server did not restart');
like(slurp_file($node->logfile), qr/modelhop-trainer \(PID $first\) ended with signal 9/, 'the server log says how it ended');

# Many sessions at the same moment start one trainer.
kill 'KILL', $second;
my @sessions;
for (1 .. 4)
{
	my %session = (out => '', err => '');
	$session{run} = IPC::Run::start(
		[ 'psql', '-XAtq', '-d', $node->connstr('postgres'), '-c',
			"SELECT substring(detail FROM 'PID (\\d+)') FROM modelhop.check_install() WHERE component = 'trainer'" ],
		'>', \$session{out}, '2>', \$session{err});
	push @sessions, \%session;
}
my %seen;
for my $session (@sessions)
{
	IPC::Run::finish($session->{run});
	is($session->{err}, '', 'no error when many start it');
	$session->{out} =~ s/\s//g;
	$seen{ $session->{out} }++;
}
is(scalar(keys %seen), 1, 'sessions that start it at one time share one trainer');
my $third = running_trainer();
ok($third && $seen{$third}, 'and it is the one that runs');

# A trainer that does not answer can be cancelled.
kill 'STOP', $third;
my ($code, $out, $err) =
  $node->psql('postgres', "SET statement_timeout = '500ms'; SELECT * FROM modelhop.check_install()");
like($err, qr/canceling statement due to statement timeout/, 'a statement that waits for the trainer is cancelled');
kill 'CONT', $third;
is(needed_trainer(), $third, 'and the trainer is still of use');

# It ends with its server, however the server ends.
$node->stop('fast');
ok(comes_true(sub { is_gone($third) }), 'gone after a fast stop');
$node->start;
my $fourth = needed_trainer();
ok($fourth, 'started again after a restart');
$node->stop('immediate');
ok(comes_true(sub { is_gone($fourth) }), 'gone after an immediate stop');
$node->start;
my $fifth = needed_trainer();
ok($fifth, 'started again after recovery, in spite of the stale socket');

# Idle timeout: read when the trainer starts.
$node->append_conf('postgresql.conf', "modelhop.trainer_idle_timeout = 1s\n");
$node->reload;
kill 'KILL', $fifth;
ok(comes_true(sub { is_gone($fifth) }), 'killed to read its settings again');
my $sixth = needed_trainer();
ok($sixth, 'started with an idle timeout');
ok(comes_true(sub { is_gone($sixth) }), 'gone after its idle timeout');
ok(needed_trainer(), 'started again when needed');

# Without a worker slot.
$node->append_conf('postgresql.conf', "max_worker_processes = 0\n");
$node->restart;
like(
	$node->safe_psql('postgres',
		"SELECT string_agg(ok::text || ' ' || detail, E'\\n') FROM modelhop.check_install() WHERE component IN ('trainer', 'background worker')"),
	qr/false no background worker slot is free .*max_worker_processes.*\nfalse max_worker_processes = 0/,
	'told what to do without a worker slot');
$node->stop;
unlike(slurp_file($node->logfile), qr/PANIC|server process .* was terminated by signal/, 'no crash in the log');

# Without the trainer program: a server tree of links, without that one.
chomp(my $bindir = `dirname \$(command -v postgres)`);
my $root = "$bindir/../../../../..";
my $tree = PostgreSQL::Test::Utils::tempdir() . '/tree';
my $version_folder = 'usr/lib/postgresql/' . (split m{/}, $bindir)[-2];
system_or_bail('mkdir', '-p', "$tree/usr/lib", "$tree/usr/share");
system_or_bail('cp', '-rs', Cwd::abs_path("$root/usr/lib/postgresql"), "$tree/usr/lib/");
system_or_bail('cp', '-rs', Cwd::abs_path("$root/usr/share/postgresql"), "$tree/usr/share/");
for my $program (qw(postgres initdb pg_ctl))
{
	unlink("$tree/$version_folder/bin/$program");
	system_or_bail('cp', "$bindir/$program", "$tree/$version_folder/bin/$program");
}
unlink("$tree/$version_folder/lib/modelhop-trainer");
my $bare = PostgreSQL::Test::Cluster->new('bare', install_path => "$tree/$version_folder");
$bare->init;
$bare->start;
$bare->safe_psql('postgres', 'CREATE EXTENSION modelhop');
like(
	$bare->safe_psql('postgres', "SELECT component FROM modelhop.check_install() WHERE NOT ok ORDER BY component"),
	qr/^trainer\ntrainer program$/, 'told that the trainer program is missing');
$bare->safe_psql('postgres', <<'SQL');
CREATE TABLE source AS SELECT ARRAY[i, -i]::real[] AS x, i % 2 AS y FROM generate_series(1, 8) AS i;
SELECT modelhop.training_preprocessor_dl('source', 'packed', 'y', 'x', num_segments => 1);
SELECT modelhop.load_keras_model('arch', $${"class_name": "Sequential", "config": {"name": "s", "layers": [
  {"class_name": "Dense", "config": {"name": "d", "units": 2, "activation": "softmax", "batch_input_shape": [null, 2]}}]}}$$);
SQL
my $fit = q{SELECT modelhop.fit('packed', 'model', 'arch', 1, $$loss='mse', optimizer='sgd'$$, 'batch_size=4', 1)};
my (undef, undef, $refusal) = $bare->psql('postgres', "\\set VERBOSITY verbose\n$fit");
like($refusal, qr/ERROR:  58P01: the program .*modelhop-trainer is missing/, 'a fit names the program that is missing');
is($bare->safe_psql('postgres', "SELECT to_regclass('model') IS NULL"), 't', 'and writes nothing');
$bare->stop;

done_testing();
