#!/usr/bin/env bash
# An ordinary user builds without a daemon, programs included, in a user namespace: the image is the
# one that root builds, whatever owners its files have, and who cannot have a namespace is told why.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_root_and_a_runtime
for tool in useradd userdel setpriv newuidmap newgidmap ssh-agent; do
	command -v "$tool" >/dev/null || { echo "skipped: there is no $tool on PATH"; exit 77; }
done

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
user=cogpack-rootless
home=$(mktemp -d /tmp/cogpack-rootless.XXXXXX)
userdel "$user" 2>/dev/null || true
useradd --no-create-home --home-dir "$home" "$user"
trap '[ -z "${agent:-}" ] || kill "$agent"; removes_user "$user"; rm -rf "$home" "$work"' EXIT
grep -q "^$user:" /etc/subuid || usermod --add-subuids 700000-765535 --add-subgids 700000-765535 "$user"

install -m 755 "$cogpackc" "$home/cogpackc"
cp -RL "$COGPACK_TEST_LAYOUTS/debian" "$home/debian"
cat >"$home/plan.cpk" <<'END_OF_PLAN'
cpk 1

image @base = "debian"

context @files = dir "files"

cache things
secret token

stage %built from image @base {
  run "mkdir /out; echo of a stage >/out/note"
}

stage %app from image @base {
  run "mkdir -p /d/e; echo one >/d/e/one; chown 1000:50 /d/e/one; chmod 4755 /d/e/one; ln /d/e/one /d/two" {
    network none
  }
  run "rm -r /usr/share/doc; mkdir /usr/share/doc; rm /d/e/one; mkfifo /d/pipe; useradd app; : >/cache/used" {
    mount cache things at /cache
    mount tmpfs at /memory
  }
  run "perl -e 'my ($p, $n, $v) = (q(/d/two), q(security.capability), pack(q(H*), q(0100000200200000000000000000000000000000))); syscall(188, $p, $n, $v, 20, 0) == 0 or die $!'"
  run """
    set -e
    mkdir /seen
    cat /context/note /stage/note >/seen/notes
    ! touch /context/note
    touch /writable/new
    test -x /image/usr/bin/perl
    test "$(cat /run/secrets/token)" = "$TOKEN"
    stat -c %a /run/secrets/token >/seen/token
    : >/cache/more
    : >/alone/more
    : >/memory/more
    perl -MIO::Socket::UNIX -e 'my $s = IO::Socket::UNIX->new($ENV{SSH_AUTH_SOCK}) or die $!; print $s pack(q(NC), 1, 11);
      $s->flush; read($s, my $said, 5) == 5 or die; print ord(substr($said, 4)), qq(\n)' >/seen/agent
    """ {
    mount @files at /context
    mount @files at /writable writable
    mount %built at /stage select "/out"
    mount image @base at /image
    mount secret token at /run/secrets/token
    mount secret token as env TOKEN
    mount cache things at /cache sharing locked
    mount cache things at /alone sharing private
    mount tmpfs at /memory size 1m
    mount ssh
  }
  run "id -un >/tmp/who" { user "app" }
  file "/owned" owner 7:8 = "owned"
}

export from %app {
  cmd ["/bin/sh"]
}
END_OF_PLAN
mkdir "$home/files"
echo 'of the context' >"$home/files/note"
printf 'a value for the mounts' >"$home/token"
chmod 600 "$home/token"
chown -R "$user" "$home"
chmod 755 "$home"
# An agent answers its own user, and root.
setpriv --reuid "$user" --regid "$user" --init-groups ssh-agent -D -a "$home/agent" >/dev/null &
agent=$!
for _ in $(seq 100); do [ ! -S "$home/agent" ] || break; sleep 0.1; done

# as_user ARGUMENT...: the command, by the ordinary user.
as_user() {
	(cd "$home" && setpriv --reuid "$user" --regid "$user" --init-groups env -i PATH="$PATH" HOME="$home" ./cogpackc "$@")
}
building=(build plan.cpk --builder direct --layout base=debian:bookworm-slim --progress quiet
	--secret "id=token,src=token" --ssh default=agent)
digest=$(cd "$home" && "$cogpackc" "${building[@]}" --store "$work/store" -o "type=layout,dest=$work/image" 2>/dev/null)
for runtime in crun runc; do
	command -v "$runtime" >/dev/null || continue
	prints "an ordinary user builds by $runtime what root builds" "$digest" \
		as_user "${building[@]}" --runtime "$runtime" --no-cache -o type=layout,dest=image
done
for layer in "$home"/image/blobs/sha256/*; do tar -xzf "$layer" -C "$work" --wildcards 'seen/*' 2>/dev/null || true; done
prints 'its programs see files of a context and of a stage' 'of the context of a stage' sh -c 'echo $(cat "$1/notes")' sh "$work/seen"
prints 'a secret that only they read' 400 cat "$work/seen/token"
prints 'and an agent, which has no keys' 12 cat "$work/seen/agent"
prints 'and again out of the store' "$digest" as_user "${building[@]}" -o type=layout,dest=again
cp -R "$repository/examples/language-detector" "$home/project"
chown -R "$user" "$home/project"
of_readme=(build project --builder direct --layout "python=$COGPACK_TEST_LAYOUTS/python:3.11-slim" --progress quiet)
digest=$(cd "$home" && "$cogpackc" "${of_readme[@]}" --store "$work/store" -o "type=layout,dest=$work/readme" 2>/dev/null)
prints 'the project of the README too' "$digest" as_user "${of_readme[@]}" -o type=layout,dest=readme
prints 'the image is the user'\''s' "$user" stat --format %U "$home/again/index.json"
exits 'what is kept is whole' 0 as_user store verify
exits 'and can be thrown away' 0 as_user store gc --keep-days 0 --caches

# Whose account is changed may have no process.
kill "$agent"
wait "$agent" || true
agent=''
printf 'cpk 1\n\nimage @base = "debian"\n\nstage %%app from image @base {\n  run "true"\n}\n\nexport from %%app\n' >"$home/plain.cpk"
usermod --del-subuids "$(sed -n "s/^$user:\([0-9]*\):.*/\1/p" /etc/subuid)-$(awk -F: -v user="$user" '$1 == user { print $2 + $3 - 1 }' /etc/subuid)" "$user"
exits 'who has no numbers to give to owners is refused' 2 \
	as_user build plain.cpk --builder direct --layout base=debian:bookworm-slim --progress quiet -o type=layout,dest=none
cp "$work/output" "$work/refusal"
exits 'with the way out' 0 grep 'usermod --add-subuids' "$work/refusal"
exits 'before any work' 1 test -e "$home/none"
