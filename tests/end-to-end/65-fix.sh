#!/usr/bin/env bash
# `cogpackc check --fix` asks a registry, servers and the archive of Debian what only they can say, and the
# mended plan is built: apt installs just the versions that were written, and a file that has changed stops it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
unset COGPACK_APT
mkdir "$work/web" "$work/web/git"
printf '#!/bin/sh\necho hello\n' >"$work/web/tool"
git init --quiet "$work/source"
echo text >"$work/source/file"
git -C "$work/source" add file
git -C "$work/source" -c user.name=Test -c user.email=test@localhost commit --quiet --message first
git clone --quiet --bare "$work/source" "$work/web/git/source.git"
serve "$work/web"
cd "$work"

# The lint passes over addresses of the machine itself; this is one that is written otherwise.
cat >plan.cpk <<END
cpk 1

platform linux/$(dpkg --print-architecture)

# What all stands on.
image @base = "$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim"  # Debian

context @source = git "http://127.0.0.1:$port/git/source.git"

context @tool = http "http://127.0.0.1:$port/tool"

cache apt

cache apt-lists

stage %app from image @base {
  # Versions of the day.
  run "apt-get update && apt-get install -y --no-install-recommends tini libssl3 wget" {
    mount cache apt at /var/cache/apt sharing locked
    mount cache apt-lists at /var/lib/apt/lists sharing locked
  }
  run """
    set -eu
    cd /usr/local/bin
    wget -q http://127.1:$port/tool  # by its name
    chmod 755 tool
    """ {
    network host
  }
  copy "tool" from @tool to "/tool"
  copy "file" from @source to "/file"
  run "dpkg-query --show tini libssl3 wget >/versions"
}

export from %app {
  cmd ["tool"]
}
END
exits 'the plan is brought into canonical form' 0 "$cogpackc" fmt plan.cpk
cp plan.cpk before.cpk
codes=cpk::image,cpk::context,lint::apt,lint::download
exits 'the plan has findings of all four kinds' 1 "$cogpackc" check plan.cpk --deny "$codes"
exits 'offline nothing of it is mended' 1 "$cogpackc" check plan.cpk --deny "$codes" --fix --offline --unsafe-fixes
exits 'and the plan is as it was' 0 cmp plan.cpk before.cpk
exits 'versions are left without a word' 1 "$cogpackc" check plan.cpk --deny "$codes" --fix
mv "$work/output" "$work/refused"
matches 'by what would write them' 'left lint::apt::version: `--fix --unsafe-fixes` asks the archives' cat "$work/refused"
exits 'all else is mended' 0 "$cogpackc" check plan.cpk --deny cpk::image,cpk::context,lint::download
# Names that several packages provide, or none has.
sed 's| tini libssl3 wget"| tini default-mta"|' plan.cpk >virtual.cpk
sed 's| tini libssl3 wget"| tini no-such-package"|' plan.cpk >nobody.cpk
exits 'with it these are, too' 0 "$cogpackc" check plan.cpk virtual.cpk nobody.cpk --fix --unsafe-fixes
mv "$work/output" "$work/refused"
exits 'so that nothing is left of the four kinds' 0 "$cogpackc" check plan.cpk --deny "$codes"
matches 'but where a name is no package' 'virtual.cpk:[0-9]+: left lint::apt::version: `default-mta` is no package' cat "$work/refused"
matches 'or nobody has it' 'nobody.cpk:[0-9]+: left lint::apt::version: no archive .* `no-such-package`' cat "$work/refused"
matches 'and what to look at is told' 'mended lint::apt::version: .*; look at the archive' cat "$work/refused"
exits 'it is still in canonical form' 0 "$cogpackc" fmt --check plan.cpk
matches 'its comments are where they were' '^# What all stands on\.$' grep -B 0 -A 1 '^# What' plan.cpk
matches 'the commit is that of the repository' "commit $(git -C source rev-parse HEAD)" cat plan.cpk
matches 'the hash that of the file' "checksum sha256:$(sha256sum <web/tool | cut -d ' ' -f 1)" cat plan.cpk

builds mended plan.cpk --allow network.host --output "type=tar,dest=$work/mended.tar"
files_of_tar mended
# installed PACKAGE: as the plan has it, PACKAGE=VERSION.
for package in tini libssl3 wget; do
	written=$(grep -o " $package=[^ \"]*" plan.cpk | cut -d = -f 2)
	prints "the version of $package is the one that was written" "$package $written" \
		sed 's/\(:[a-z0-9]*\)\?\t/ /' mended/versions
done
for file in tool usr/local/bin/tool; do prints 'what was downloaded is there' 'echo hello' cat "mended/$file"; done
prints 'and what the commit has' text cat mended/file

# Somebody changes the file; nothing of the plan does.
echo '#!/bin/sh' >web/tool
sed 's/^    set -eu$/    set -eux/; /^context @tool/,/^}$/d; /from @tool/d' plan.cpk >changed.cpk
exits 'another file is refused by the build' 1 "$cogpackc" build changed.cpk --allow network.host --output "type=tar,dest=$work/no.tar" --progress plain
mv "$work/output" "$work/refused"
matches 'by its hash' 'tool: FAILED' cat "$work/refused"

# Whoever does not answer is named, and the rest is mended.
sed "s|base/debian:|base/nobody-has-this:|; s|$port/tool\"|9/tool\"|" before.cpk >away.cpk
exits 'a plan of which servers are away is mended as far as it goes' 0 "$cogpackc" check away.cpk --fix --unsafe-fixes
mv "$work/output" "$work/refused"
matches 'the registry is named' 'left cpk::image::unpinned: .*nobody-has-this' cat "$work/refused"
matches 'the server is named' 'left cpk::context::unpinned: nothing came from `http://127.0.0.1:9/tool`' cat "$work/refused"
matches 'and nobody guesses a version' 'left lint::apt::version: .*nobody-has-this' cat "$work/refused"
matches 'the commit is there' 'commit [0-9a-f]{40}' cat away.cpk
