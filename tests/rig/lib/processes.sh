# Starts, finds and stops the rig's own processes. Sourced by `rig`; needs `say` and `die`.
#
# A process is remembered as "pid start-time", so that a pid which the system has
# since given to somebody else is never taken for ours, and never signalled.

pid_file() { printf '%s/run/%s.pid' "$RIG_HOME" "$1"; }

# The fields of /proc/PID/stat after the program's name, which may hold anything.
process_stat() { sed -E 's/^.*\) //' "/proc/$1/stat" 2>/dev/null; }

process_start_time() { process_stat "$1" | cut -d' ' -f20; }

# running NAME: prints the pid of the process we started under NAME, while it lives.
running() {
	local pid started
	read -r pid started 2>/dev/null <"$(pid_file "$1")" || return 1
	[ -n "$started" ] && [ "$(process_start_time "$pid")" = "$started" ] || return 1
	[ "$(process_stat "$pid" | cut -c1)" != Z ] || return 1
	printf '%s' "$pid"
}

# start NAME COMMAND...: in the background, in a session of its own, with a log.
start() {
	local name=$1
	shift
	# The service outlives this command, so it must not inherit the lock (descriptor 9), nor a
	# directory that may be removed: an engine then starts no git.
	setsid env --chdir=/ "$@" >>"$RIG_HOME/log/$name.log" 2>&1 </dev/null 9>&- &
	printf '%s %s\n' "$!" "$(process_start_time "$!")" >"$(pid_file "$name")"
}

# stop NAME SECONDS: asks first, and kills what has not ended by then.
stop() {
	local name=$1 limit=$2 pid
	if pid=$(running "$name"); then
		kill -TERM "$pid" 2>/dev/null || true
		if ! wait_until "$limit" not_running "$name"; then
			say "$name (pid $pid) did not end within ${limit}s, killing it"
			kill -KILL "$pid" 2>/dev/null || true
			wait_until 5 not_running "$name" || die "$name (pid $pid) cannot be stopped"
		fi
		say "stopped $name"
	fi
	rm -f "$(pid_file "$name")"
}

not_running() { ! running "$1" >/dev/null; }

# wait_until SECONDS COMMAND...: whether COMMAND succeeded before the deadline.
wait_until() {
	local deadline=$((SECONDS + $1))
	shift
	until "$@" >/dev/null 2>&1; do
		[ "$SECONDS" -lt "$deadline" ] || return 1
		sleep 0.1
	done
}

# wait_ready NAME SECONDS COMMAND...: the service NAME answers, or we say why it does not.
wait_ready() {
	local name=$1 limit=$2
	shift 2
	wait_until "$limit" ready_or_gone "$name" "$@" || true
	if ! "$@" >/dev/null 2>&1; then
		local state="still runs but did not answer within ${limit}s"
		running "$name" >/dev/null || state='ended at once'
		die_with_log "$name $state; tried: $*" "$RIG_HOME/log/$name.log"
	fi
}

ready_or_gone() {
	local name=$1
	shift
	"$@" || not_running "$name"
}
