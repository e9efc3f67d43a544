#!/usr/bin/env bash
# Images out of a package archive alone: no registry, nothing is run to make them, and no daemon is
# needed. What we leave is compared with what dpkg has installed, and with what daemons make of it;
# the example model runs on it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
PATH=$(dirname "${COGPACK_TEST_BUILDAH:?}"):$PATH
tests=$repository/tests/end-to-end
example=$repository/examples/language-detector
export COGPACK_STORE=$work/store
unset COGPACK_DEBS COGPACK_APT

# lock FILE PACKAGE...: the context `@system`, out of the archives that this machine names.
lock() {
	local file=$1
	shift
	"$cogpackc" lock debs --suite bookworm --platform "linux/$(dpkg --print-architecture)" "$@" >"$file"
}

exits 'umoci unpacks an image that dpkg has made' 0 \
	umoci unpack --image "$COGPACK_TEST_LAYOUTS/python:3.11-slim" "$work/by-dpkg"
mapfile -t packages < <(dpkg-query --admindir="$work/by-dpkg/rootfs/var/lib/dpkg" --show --showformat '${Package}\n')
exits 'its packages are locked' 0 lock "$work/all.cpk" "${packages[@]}"
{
	printf 'cpk 1\nplatform linux/%s\n' "$(dpkg --print-architecture)"
	cat "$work/all.cpk"
	printf 'export from @system { cmd ["python3"] }\n'
} >"$work/plan.cpk"
exits 'they become an image' 0 "$cogpackc" "$work/plan.cpk" -o oci -O "$work/layout"
exits 'umoci unpacks it' 0 umoci unpack --image "$work/layout:latest" "$work/by-us"
exits 'every file is the one that dpkg leaves' 0 "$tests/compare-debs" "$work/by-dpkg/rootfs" "$work/by-us/rootfs"
exits 'ldconfig has nothing to add' 0 ldconfig -r "$work/by-us/rootfs" -C /cache-of-ldconfig -X
exits 'and writes the same cache' 0 cmp "$work/by-us/rootfs/etc/ld.so.cache" "$work/by-us/rootfs/cache-of-ldconfig"

exits 'the packages of the example are locked' 0 lock "$work/system.cpk" \
	base-files base-passwd ca-certificates python3 tini --without debconf --without dpkg
if grep -q '"\(debconf\|dpkg\)_' "$work/system.cpk"; then
	printf 'not ok - what was to be left out is in the set\n'
	exit 1
fi
sed "s|^platform .*|platform linux/$(dpkg --print-architecture)|" "$example/from-packages.cpk.in" >"$work/from-packages.cpk"
cat "$work/from-packages.cpk" "$work/system.cpk" >"$work/example.cpk"
build() { (cd "$example" && "$cogpackc" - -o oci -O "$1" <"$work/example.cpk"); }
# `exits` gives commands no input of their own.
build_from_store() {
	(
		export http_proxy=http://127.0.0.1:9 https_proxy=http://127.0.0.1:9
		build "$1"
	)
}
exits 'the example is built on them' 0 build "$work/example"
exits 'and again out of the store, without a network' 0 build_from_store "$work/again"
exits 'to the same bytes' 0 diff -r "$work/example" "$work/again"
prints 'crun runs it' 'de True' \
	"$repository/tests/rig/run-oci" "$work/example:latest" -- \
	python3 -c 'import predict, ssl; p = predict.Predictor(); p.setup(); print(p.run("Wo ist denn hier der Bahnhof?"), len(ssl.create_default_context().get_ca_certs()) > 100)'

# Programs with a hundred files each, as models call them: made of packages and run, all without a daemon.
exits 'git and what it needs is locked' 0 lock "$work/git.lock" \
	base-files base-passwd ca-certificates dash git --without debconf --without dpkg
{
	printf 'cpk 1\nplatform linux/%s\n' "$(dpkg --print-architecture)"
	cat "$work/git.lock"
	cat <<-'END'
		stage %app from @system {
		  env PATH = "/usr/bin"
		  run "git init --quiet /repository && cd /repository && git -c user.name=Test -c user.email=test@localhost commit --quiet --allow-empty --message first"
		}
		export from %app { cmd ["git", "-C", "/repository", "log", "--format=said %s by %an"] }
	END
} >"$work/git.cpk"
build_by_ourselves() {
	DOCKER_HOST=unix:///nowhere/docker.sock \
		"$cogpackc" build "$work/git.cpk" --builder direct --output "type=layout,dest=$work/git" --progress quiet
}
exits 'it makes a repository in a build without a daemon' 0 build_by_ourselves
prints 'and reads it in the image' 'said first by Test' "$repository/tests/rig/run-oci" "$work/git:latest"

# A package whose files say more than text: special modes, owners, two names of one file. Two of them,
# of one size in all, are told apart by what is in them.
for text in one two; do
	mkdir -p "$work/tiny/DEBIAN" "$work/tiny/usr/bin" "$work/tiny/etc" "$work/debs-$text"
	printf 'Package: tiny\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n' >"$work/tiny/DEBIAN/control"
	printf 'says %s\n' "$text" >"$work/tiny/usr/bin/tool"
	printf 'secret\n' >"$work/tiny/etc/key"
	ln -f "$work/tiny/usr/bin/tool" "$work/tiny/usr/bin/name"
	chmod 4755 "$work/tiny/usr/bin/tool"
	chmod 0640 "$work/tiny/etc/key"
	chown 0:42 "$work/tiny/etc/key"
	deb=$work/debs-$text/tiny_1_all.deb
	exits "the package that says $text is made" 0 dpkg-deb --build "$work/tiny" "$deb"
	cat >"$work/$text.cpk" <<-END
		cpk 1
		platform linux/$(dpkg --print-architecture)
		context @system = debs {
		  deb "tiny_1_all.deb" {
		    hash sha256:$(sha256sum "$deb" | cut -d ' ' -f 1)
		  }
		}
		stage %app from @system {
		  copy "usr/bin/tool" from @system to "/opt/tool"
		  copy contents "etc" from @system to "/srv"
		  copy "etc/key" "usr/bin/*" from @system into "/several"
		  env PATH = "/usr/bin"
		}
		export from %app { cmd ["/opt/tool"] }
	END
	COGPACK_DEBS=$work/debs-$text exits 'it becomes an image' 0 "$cogpackc" "$work/$text.cpk" -o oci -O "$work/layout-$text"
	exits 'umoci unpacks it' 0 umoci unpack --image "$work/layout-$text:latest" "$work/unpacked-$text"
	files_of "$work/unpacked-$text/rootfs" >"$work/$text.files"
	matches 'with the mode of its tool' '^usr/bin/tool f 0:0 4755$' cat "$work/$text.files"
	matches 'and the owner of its key' '^etc/key f 0:42 640$' cat "$work/$text.files"
done

# The same by daemons, which install nothing: what we have installed is served to them.
exits 'umoci unpacks the example' 0 umoci unpack --image "$work/example:latest" "$work/example-by-us"
files_of "$work/example-by-us/rootfs" >"$work/example.files"
cp -R "$example" "$work/project"
cp "$work/example.cpk" "$work/project/packages.cpk"
by_daemon() {
	local text image=cogpack-test/installed:$$
	for text in one two; do
		builds "$text-$1" "$work/$text.cpk" --output "type=tar,dest=$work/$text-$1.tar"
		files_of_tar "$text-$1"
		exits "the $1 engine has the files of the package that says $text" 0 diff "$work/$text.files" "$work/$text-$1.files"
	done
	builds "example-$1" "$work/project/packages.cpk" --output "type=tar,dest=$work/example-$1.tar"
	files_of_tar "example-$1"
	exits "the $1 engine has the files of the example" 0 diff "$work/example.files" "$work/example-$1.files"
	builds "example-again-$1" "$work/project/packages.cpk" --tag "$image"
	prints 'a second build runs nothing' '' steps_run "example-again-$1"
	exits 'and sends nothing' 1 grep '"event":"sent".*"bytes":[1-9]' "$(build_log "example-again-$1")"
	answers_predictions "$image"
	docker image rm --force "$image" >/dev/null
}
on_each_engine by_daemon
# layers_of LAYOUT [WHOSE]: the blobs of an image's layers with their sizes; only those of a set where it is named.
layers_of() {
	python3 - "$@" <<-'END'
		import json, pathlib, sys
		blob = lambda it: json.loads(pathlib.Path(sys.argv[1], "blobs", *it["digest"].split(":")).read_text())
		manifest = blob(json.loads(pathlib.Path(sys.argv[1], "index.json").read_text())["manifests"][0])
		history = [step for step in blob(manifest["config"])["history"] if not step.get("empty_layer")]
		for step, layer in zip(history, manifest["layers"], strict=True):
		    if not sys.argv[2:] or step["created_by"].startswith(f"from {sys.argv[2]}: "):
		        print(layer["digest"].replace("sha256:", "blobs/sha256/"), layer["size"])
	END
}
layers_of "$work/example" @system >"$work/example.layers"
exits 'large packages are layers of their own' 0 test "$(wc -l <"$work/example.layers")" -gt 10
layers_of "$work/layout" | sort >"$work/all.layers"
exits 'an image with another set has most of the bytes in the same layers' 0 awk '
	NR == FNR { there[$1] = 1; next } { all += $2 } $1 in there { shared += $2 }
	END { print shared, "of", all; exit !(shared > 0.75 * all) }' "$work/all.layers" "$work/example.layers"
(
	on_next_engine
	builds layers "$work/project/packages.cpk" --output "type=oci,dest=$work/by-daemon.tar"
	tar -tf "$work/by-daemon.tar" | sort >"$work/by-daemon.blobs"
	cut -d ' ' -f 1 "$work/example.layers" | sort | comm -23 - "$work/by-daemon.blobs" >"$work/other.blobs"
	exits 'the layers of the packages are the blobs that we write without a daemon' 0 test ! -s "$work/other.blobs"
)

# The same by builders that only read Dockerfiles: the eject holds what we have installed.
grep -v 'copy .*usr/bin/' "$work/one.cpk" >"$work/plain.cpk"
COGPACK_DEBS=$work/debs-one exits 'the package is an image without copies of its programs' 0 \
	"$cogpackc" "$work/plain.cpk" -o oci -O "$work/layout-plain"
exits 'umoci unpacks it' 0 umoci unpack --image "$work/layout-plain:latest" "$work/unpacked-plain"
files_of "$work/unpacked-plain/rootfs" >"$work/plain.files"
# ejects BUILDER PLAN DIALECT-OPTION...: an eject of the project's plan, as its README builds it, has its files.
ejects() {
	local builder=$1 plan=$2 image=localhost/cogpack-test/eject-$2-$1:$$ eject=$work/project/eject
	shift 2
	COGPACK_DEBS=$work/debs-one exits "the plan $plan compiles for $builder" 0 \
		"$cogpackc" "$work/project/$plan.cpk" -o dockerfile "$@" -O "$eject"
	builds_as_it_says "$image" "$work/project" "$eject"
	rm -r "$eject"
	if [ "$builder-$plan" = classic-example ]; then answers_predictions "$image"; fi
	saves "ejected-$plan-$builder" "$image" "$builder"
	files_saved "ejected-$plan-$builder"
	exits "and has the files that $builder is to make" 0 diff "$work/$plan.files" "$work/ejected-$plan-$builder.files"
}
cp "$work/one.cpk" "$work/plain.cpk" "$work/project/"
mv "$work/project/packages.cpk" "$work/project/example.cpk"
ejects buildkit-older one --dialect buildkit --syntax none
ejects buildkit-older example --dialect buildkit --syntax none
for builder in classic buildah; do
	dialect=${builder/classic/legacy}
	COGPACK_DEBS=$work/debs-one refuses "a copy of setuid that $builder takes off" cpk::unsupported::gathered \
		"$cogpackc" "$work/one.cpk" -o dockerfile --dialect "$dialect" -O "$work/nothing"
	ejects "$builder" plain --dialect "$dialect"
	ejects "$builder" example --dialect "$dialect"
done
(
	on_next_engine
	ejects buildkit-newer one --dialect buildkit
	ejects buildkit-newer example --dialect buildkit --self-contained
)
refuses 'packages cannot stand in a Dockerfile alone' cpk::unsupported::beside "$cogpackc" "$work/plain.cpk" -o dockerfile
# What is in a set is known before anything is built.
asks() { # COPY: a plan with that copy is ejected.
	sed "s|^  copy .*||; s|^stage %app from @system {|&\n  $1|" "$work/plain.cpk" >"$work/asked.cpk"
	COGPACK_DEBS=$work/debs-one "$cogpackc" "$work/asked.cpk" -o dockerfile -O "$work/asked" --force
}
exits 'what is optional may be missing in a set' 0 asks 'copy "usr/nothing" from @system to "/nothing" optional'
exits 'and is then left out' 1 grep -q COPY "$work/asked/Dockerfile"
refuses 'a link that would be followed is refused' cpk::unsupported::gathered asks 'copy "bin" from @system to "/b"'
refuses 'a program that no package has is refused' cpk::unsupported::program asks 'remove "/etc/key"'
matches 'by its name' 'it needs `/bin/rm`' cat "$work/refused"

exits 'a package with a script that nobody knows is locked' 0 lock "$work/unknown.cpk" java-common
{
	printf 'cpk 1\nplatform linux/%s\n' "$(dpkg --print-architecture)"
	cat "$work/unknown.cpk"
	printf 'export from @system { cmd ["java"] }\n'
} >"$work/plan.cpk"
refuses 'and refused' cpk::debs::script "$cogpackc" "$work/plan.cpk" -o oci -O "$work/nothing"
matches 'with its script' 'mkdir -m 755 /etc/.java' cat "$work/refused"

# Whoever waits at a terminal is told for what; nobody else is.
exits 'a set is locked where nobody watches' 0 sh -c '"$1" lock debs --suite bookworm tini >/dev/null 2>"$2"' sh "$cogpackc" "$work/talk"
exits 'nothing is said of it' 1 test -s "$work/talk"
watched() { script --quiet --return --command "'$cogpackc' lock debs --suite bookworm tini" /dev/null; }
matches 'at a terminal, what is asked for' 'asking for http.*/dists/bookworm/InRelease …' watched
matches 'and that packages are chosen' 'choosing among [0-9,]+ packages …' watched
exits 'of JSON nothing but the answer' 1 sh -c '"$@" | grep -q …' sh script --quiet --return --command "'$cogpackc' lock debs --suite bookworm tini --format json" /dev/null

# An index that somebody has changed on the way.
mkdir -p "$work/web/dists/bookworm"
archive=$("$cogpackc" lock debs --suite bookworm tini --without libc6 | sed -n 's|.* url "\(.*\)/pool/.*|\1|p')
exits 'an index is fetched' 0 curl --silent --fail --output "$work/web/dists/bookworm/InRelease" "$archive/dists/bookworm/InRelease"
sed -i 's/^Codename: bookworm/Codename: woodworm/' "$work/web/dists/bookworm/InRelease"
serve "$work/web"
exits 'and refused where it is another than was signed' 2 "$cogpackc" lock debs --suite bookworm tini \
	--mirror "http://127.0.0.1:$port" --keyring /usr/share/keyrings/debian-archive-keyring.gpg
mv "$work/output" "$work/refused"
matches 'by its signature' 'is not to be trusted' cat "$work/refused"

# The same archive for the base of a project.
mkdir "$work/app"
echo 'print(1)' >"$work/app/main.py"
echo 3.11 >"$work/app/.python-version"
exits 'a project takes its base from no such archive' 2 "$cogpackc" lock "$work/app" --base debian \
	--mirror "http://127.0.0.1:$port" --keyring /usr/share/keyrings/debian-archive-keyring.gpg
mv "$work/output" "$work/refused"
matches 'for the same reason' 'is not to be trusted' cat "$work/refused"
exits 'and from one that is signed' 0 "$cogpackc" lock "$work/app" --base debian \
	--mirror "$archive" --keyring /usr/share/keyrings/debian-archive-keyring.gpg
exits 'which its lock names' 0 grep -F "url \"$archive/pool/" "$work/app/debs.cog.cpk"
