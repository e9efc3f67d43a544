#!/usr/bin/env bash
# A plan with every kind of mount, on both engines. What the older one's BuildKit cannot do is
# refused by name before anything is built.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
mkdir -p "$work/project/scripts"
printf 'from the context\n' >"$work/project/scripts/note"
# A cache that starts empty, whatever ran before this.
cache=mounts-$RANDOM$RANDOM

# plan FILE SIZE-OF-TMPFS SECRET-MOUNT
plan() {
	cat >"$1" <<END
cpk 1

image @python = "$base"

context @source = dir "."
context @inline = files {
  file "note" = "from the plan\n"
}

secret token
cache $cache

stage %built from image @python {
  run "mkdir /out && echo from the stage >/out/note"
}

stage %app from image @python {
  run """
    set -e
    : $RANDOM$RANDOM$RANDOM
    mkdir /results
    cat /context/note /inline/note /stage/note >/results/notes
    ! touch /context/note
    touch /writable/new
    test -x /image/usr/bin/python3
    sha256sum </run/secrets/token >/results/token
    stat -c %a /run/secrets/token >>/results/token
    findmnt -no FSTYPE /scratch >/results/tmpfs || grep ' /scratch ' /proc/mounts | cut -d' ' -f3 >/results/tmpfs
    echo once >>/cache/lines
    wc -l </cache/lines >/results/cache
    python3 -c 'import os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ["SSH_AUTH_SOCK"]); s.sendall(bytes([0, 0, 0, 1, 11])); print(s.recv(5)[4])' >/results/ssh
    printf %s "\${TOKEN-}" | sha256sum >/results/variable

    """ {
    mount @source at /context select "scripts" readonly
    mount @inline at /inline
    mount @source at /writable writable
    mount %built at /stage select "/out"
    mount image @python at /image
    mount secret token at /run/secrets/token
    $3
    mount cache $cache at /cache sharing locked
    mount tmpfs at /scratch$2
    mount ssh
  }
  run "wc -l </cache/lines >/results/shared" {
    mount cache $cache at /cache sharing shared
  }
  run "ls -A /context /scratch >/results/left 2>&1; true"
}

export from %app
END
}
plan "$work/project/full.cpk" ' size 8m' 'mount secret token as env TOKEN'
plan "$work/project/plain.cpk" '' ''
printf 'a value for the mounts' >"$work/token"
eval "$(ssh-agent -s)" >/dev/null
trap 'kill "$SSH_AGENT_PID"; rm -rf --one-file-system "$work"' EXIT

shows_all_mounts() { # NAME PLAN
	builds "$1" "$2" --output "type=tar,dest=$work/$1.tar" --secret "id=token,src=$work/token" --ssh default
	mkdir "$work/$1"
	tar -C "$work/$1" -xf "$work/$1.tar" results
	prints 'directories, files of the plan and stages are there' "$(printf 'from the context\nfrom the plan\nfrom the stage' | sha256sum)" \
		sh -c 'printf %s "$(cat "$1")" | sha256sum' sh "$work/$1/results/notes"
	prints 'so is the secret' "$(sha256sum <"$work/token")" cat "$work/$1/results/token"
	prints 'which only its owner reads' 400 cat "$work/$1/results/token"
	prints 'the tmpfs is one' tmpfs cat "$work/$1/results/tmpfs"
	prints 'the agent answers, that it has no keys' 12 cat "$work/$1/results/ssh"
	prints 'what one step puts into a cache another finds' "$(cat "$work/$1/results/cache")" cat "$work/$1/results/shared"
	exits 'no content is left below a mount' 1 grep -qE 'note|new' "$work/$1/results/left"
	exits 'and nothing in the image' 1 sh -c 'tar -tf "$1" | grep -E "^(\./)?(context|inline|writable|stage|scratch|cache)/."' sh "$work/$1.tar"
}

# Without the cache a build would have empty cache mounts too, so each plan is a new one.
builds_plain() {
	plan "$work/project/plain.cpk" '' ''
	shows_all_mounts "plain-$1" "$work/project/plain.cpk"
	prints 'the cache was empty at first' 1 cat "$work/plain-$1/results/cache"
	plan "$work/project/plain.cpk" '' ''
	shows_all_mounts "plain-again-$1" "$work/project/plain.cpk"
	prints 'and survives to the next build' 2 cat "$work/plain-again-$1/results/cache"
}
on_each_engine builds_plain

# is_refused CAPABILITY SIZE-OF-TMPFS SECRET-MOUNT
is_refused() {
	plan "$work/project/refused.cpk" "$2" "$3"
	exits "what needs $1 is refused on the older engine" 1 \
		"${COGPACK_TEST_BINARY:?}" build "$work/project/refused.cpk" --output "type=tar,dest=$work/refused.tar" \
		--secret "id=token,src=$work/token" --ssh default
	cp "$work/output" "$work/refusal"
	matches 'by name' "cpk::unsupported::capability" cat "$work/refusal"
	matches 'and with the reason' "\`$1\`" cat "$work/refusal"
	exits 'and nothing is written' 1 test -e "$work/refused.tar"
}
is_refused exec.mount.tmpfs.size ' size 8m' ''
is_refused exec.secretenv '' 'mount secret token as env TOKEN'
(
	on_next_engine
	shows_all_mounts full "$work/project/full.cpk"
	prints 'a secret can be a variable' "$(sha256sum <"$work/token")" cat "$work/full/results/variable"
)

# Two programs at once that have one cache, and a key that is given as a file. They meet in a cache that
# they share; what they do in the others would fail beside somebody else.
ssh-keygen -q -t ed25519 -N '' -C 'a key to deploy with' -f "$work/deploy-key"
together() {
	local kind who name=together-$RANDOM$RANDOM
	{
		printf 'cpk 1\n\nimage @python = "%s"\n' "$base"
		for kind in meeting locked private; do printf 'cache %s\n' "$name-$kind"; done
		for who in one two; do
			cat <<END

stage %$who from image @python {
  run """
    set -e
    touch /meeting/$who
    for _ in \$(seq 300); do if test -e /meeting/one -a -e /meeting/two; then break; fi; sleep 0.1; done
    test -e /meeting/one -a -e /meeting/two
    mkdir /private/taken
    sleep 0.2
    rmdir /private/taken
    echo $who >>/private/lines
    mkdir -p /results
    cp /private/lines /results/private-$who
    touch /meeting/$who-done
    for _ in \$(seq 300); do if test -e /meeting/one-done -a -e /meeting/two-done; then break; fi; sleep 0.1; done
    """ {
    mount cache $name-meeting at /meeting sharing shared
    mount cache $name-private at /private sharing private
  }
  run """
    set -e
    mkdir /locked/taken
    echo $who >>/locked/lines
    sleep 0.3
    rmdir /locked/taken
    cp /locked/lines /results/locked-$who
    """ {
    mount cache $name-locked at /locked sharing locked
  }
}
END
		done
		cat <<END

stage %app from image @python {
  copy contents "/results" from %one to "/results"
  copy contents "/results" from %two to "/results"
  run "python3 -c 'import base64, os, socket; s = socket.socket(socket.AF_UNIX); s.connect(os.environ[\"SSH_AUTH_SOCK\"]); s.sendall(bytes([0, 0, 0, 1, 11])); a = s.recv(9999); n = int.from_bytes(a[9:13]); print(a[8], base64.b64encode(a[13:13 + n]).decode())' >/results/key; : $name" {
    mount ssh deploy
  }
}

stage %results from scratch {
  copy "/results" from %app to "/results"
}

export from %results
END
	} >"$work/together.cpk"
	builds "together-$1" "$work/together.cpk" --output "type=tar,dest=$work/together-$1.tar" --ssh "deploy=$work/deploy-key"
	mkdir "$work/together-$1"
	tar -C "$work/together-$1" -xf "$work/together-$1.tar" results
	prints 'the key of the file is the one that there is' "1 $(cut -d' ' -f2 "$work/deploy-key.pub")" cat "$work/together-$1/results/key"
	for who in one two; do
		prints 'a private cache is had by one program at a time' "$who" cat "$work/together-$1/results/private-$who"
		prints 'and by nobody else meanwhile' 1 sh -c 'wc -l <"$1"' sh "$work/together-$1/results/private-$who"
	done
	prints 'a locked one is had by one after the other' '1 2' \
		sh -c 'for one in "$@"; do wc -l <"$one"; done | sort | paste -sd" "' sh "$work/together-$1/results"/locked-*
}
on_each_engine together
