#!/usr/bin/perl
# SPDX-License-Identifier: MIT
# Runs TAP programs through prove's engine: two at a time, each with a deadline and killed by its
# id, skips repeated at the end, and a last line "N passed, N failed".
#
#	mk/tests.pl [--jobs=N] [--deadline=SECONDS] [--minutes=N] FILE-OR-FOLDER...
#
# A program finds the variant it belongs to in KMEM_BUILD; scripts find the release's there and the
# debug build's in KMEM_BUILD_DEBUG. --minutes repeats everything, with new seeds, until then.
use strict;
use warnings;
use Cwd qw(getcwd);
use File::Find;
use Getopt::Long;
use TAP::Harness;

my ($jobs, $deadline, $minutes) = (2, 900, 0);
GetOptions('jobs=i' => \$jobs, 'deadline=i' => \$deadline, 'minutes=i' => \$minutes) or exit 2;

chomp(my $machine = `uname -m`);
my $root = getcwd();
my $release = "$root/build/posix-$machine";
$ENV{KMEM_BUILD_DEBUG} = "$release-debug";
$ENV{KMEM_TRACES} //= "$root/examples/traces";
$ENV{LC_ALL} = 'C';

# The compiler's objects, listings and test data lie beside the programs.
sub programs {
	my ($place) = @_;
	my @found;
	return ($place) if -f $place;
	return () unless -d $place;
	find({ no_chdir => 1, wanted => sub {
		push @found, $_ if -f $_ && -x _ && !/\.(o|d|so|a)(\.\d+)*$/;
	} }, $place);
	return sort @found;
}

# How a program is started: in its variant's environment, under its deadline.
sub command {
	my ($harness, $file) = @_;
	my $build = $file =~ m{^(?:.*/)?(build/[^/]+)/} ? "$root/$1" : $release;
	my $emulated = $build =~ /-aarch64/ && $machine ne 'aarch64';
	my $slow = $emulated ? 20 : $build =~ /-tsan$/ ? 10 : $build =~ /-asan$/ ? 4 : 1;
	# A runner that is killed takes what it runs with it.
	my @run = ('setpriv', '--pdeathsig', 'TERM', 'env', "KMEM_BUILD=$build", "TAP_SLOW=$slow",
		'timeout', '-k', '5', $deadline);
	push @run, 'qemu-aarch64', '-L', '/usr/aarch64-linux-gnu'
		if $emulated;
	# ThreadSanitizer needs its shadow where a wide address space randomisation puts others.
	push @run, 'setarch', $machine, '-R' if $build =~ /-tsan$/;
	return [@run, "./$file"] unless $file =~ m{^/};
	return [@run, $file];
}

my @files = map { programs($_) } @ARGV;
if (!@files) {
	print "no test was found in: @ARGV\n0 passed, 1 failed\n";
	exit 1;
}

my ($passed, $failed, %skips) = (0, 0);
my $end = time + 60 * $minutes;
do {
	my $harness = TAP::Harness->new({ jobs => $jobs, exec => \&command, merge => 1,
		verbosity => $minutes ? -1 : 0, color => 0, timer => 1 });
	my %lines;
	$harness->callback(made_parser => sub {
		my ($parser, $job) = @_;
		my $name = ref $job ? $job->[1] : $job;
		$parser->callback(ALL => sub {
			my ($line) = @_;
			push @{ $lines{$name} }, $line->raw if $line->is_comment || $line->is_unknown;
			push @{ $lines{$name} }, $line->raw if $line->is_test && !$line->is_ok;
			$skips{"$name: " . $line->description . ': ' . $line->explanation} = 1
				if $line->is_test && $line->has_skip;
		});
		$parser->callback(plan => sub {
			my ($plan) = @_;
			$skips{"$name: " . $plan->explanation} = 1 if $plan->has_skip;
		});
	});
	my $all = $harness->runtests(@files);
	$passed += $all->passed;
	$failed += $all->failed;
	for my $parser ($all->parsers) {
		# A program that crashed or broke its plan without failing any one test.
		$failed++ if $parser->has_problems && !$parser->failed;
	}
	for my $name (sort keys %lines) {
		my ($parser) = grep { defined } $all->parsers($name);
		next unless $parser && $parser->has_problems;
		my @show = @{ $lines{$name} };
		splice @show, 0, @show - 60 if @show > 60;
		print "\n---- $name\n", map { "$_\n" } @show;
	}
} while ($minutes && time < $end && !$failed);

print "\nSKIPPED $_\n" for sort keys %skips;
print "\n$passed passed, $failed failed\n";
exit($failed || !$passed ? 1 : 0);
