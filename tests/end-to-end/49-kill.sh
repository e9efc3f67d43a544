#!/usr/bin/env bash
# Builds without a daemon that are killed at random moments: what they have kept is whole, and the
# next build makes the same image. They run programs, install wheels and Debian packages, and pull a
# base where there is a registry.
#
#   tests/end-to-end/49-kill.sh [KILLS [SEED]]
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

kills=${1:-15} wheels='' debs=''
RANDOM=${2:-$$}
: "${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}"
needs_root_and_a_runtime

# A base image of three layers, small enough to be unpacked hundreds of times: a shell and what it needs.
root=$work/root
shell_root "$root" sh mkdir cat ln rm chmod mkfifo
mkdir "$root/share"
for number in $(seq 300); do echo "$number" >"$root/share/$number"; done
cat >"$work/base.cpk" <<'END'
cpk 1

context @root = dir "root"

stage %base from scratch {
  copy contents "libraries" from @root to "/"
  copy contents "bin" from @root to "/bin"
  copy contents "share" from @root to "/share"
}

export from %base
END
exits 'the base image is made' 0 "$COGPACK_TEST_BINARY" "$work/base.cpk" -o oci -O "$work/base"
# The same image where it has to be pulled: out of the registry, or else out of the layout once more.
layouts=(--layout "base=$work/base")
pulled=pulled
if [ -n "${COGPACK_TEST_REGISTRY:-}" ]; then
	pulled=$COGPACK_TEST_REGISTRY/cogpack-test/kill:$$
	exits 'the base is pushed' 0 skopeo copy -q --dest-tls-verify=false "oci:$work/base:latest" "docker://$pulled"
else
	layouts+=(--layout "pulled=$work/base")
fi
mkdir "$work/links" "$work/debs" "$work/project"
for name in one two three; do
	wheels+="  wheel \"$name-1.0-py3-none-any.whl\" {
    hash sha256:$("$repository/tests/end-to-end/make-wheel" "$work/links" "$name" 1.0)
  }
"
	mkdir -p "$work/deb-$name/DEBIAN" "$work/deb-$name/usr/share/$name"
	printf 'Package: %s\nVersion: 1\nArchitecture: all\nMaintainer: nobody\nDescription: tiny\n' "$name" >"$work/deb-$name/DEBIAN/control"
	for number in $(seq 20); do printf "%$((number * 900))s" "$name" >"$work/deb-$name/usr/share/$name/$number"; done
	dpkg-deb --root-owner-group --build "$work/deb-$name" "$work/debs/${name}_1_all.deb" >/dev/null
	debs+="  deb \"${name}_1_all.deb\" {
    hash sha256:$(sha256sum "$work/debs/${name}_1_all.deb" | cut -d ' ' -f 1)
  }
"
done
export PIP_FIND_LINKS=$work/links COGPACK_DEBS=$work/debs
unset PIP_INDEX_URL UV_FIND_LINKS UV_DEFAULT_INDEX UV_INDEX_URL
for number in $(seq 200); do printf "%$((number * 50))s" "$number" >"$work/project/$number"; done
cat >"$work/project/plan.cpk" <<END
cpk 1
platform linux/$(dpkg --print-architecture)

image @base = "base"
image @pulled = "$pulled"

context @wheels = wheels {
  python "3.11"
  interpreter "/usr/bin/python3.11"
$wheels}

context @debs = debs {
$debs}
END
cat >>"$work/project/plan.cpk" <<'END'

context @project = dir "." {
  exclude "plan.cpk"
}

stage %tools from image @base {
  run "mkdir -p /tools/a/b && for n in 1 2 3 4 5 6 7 8 9; do echo $n >/tools/a/b/$n; done"
}

stage %pulled from image @pulled {
  copy "." from @wheels to "/wheels"
  run "cat /wheels/lib/python3.11/site-packages/*.py >/modules"
}

stage %app from image @base {
  run "mkdir /one && cat /share/* >/one/all && ln /one/all /one/other"
  copy contents "." from @project to "/project"
  run "rm /share/1?? && mkfifo /one/pipe && chmod 700 /one && cat /project/* >/two" {
    mount %tools at /mounted
  }
  file "/three" = "written by the plan"
  copy "tools" from %tools to "/tools"
  copy "modules" from %pulled to "/modules"
  copy "usr/share" from @debs to "/debs"
  run "rm -r /project && mkdir /project && ln -s /two /project/two"
}

export from %app
END

# build STORE IMAGE OPTION...: the image's digest.
build() {
	local store=$1 image=$2
	shift 2
	"$COGPACK_TEST_BINARY" build "$work/project" --builder direct "${layouts[@]}" --store "$store" \
		--output "type=layout,dest=$image" --progress quiet "$@"
}

now() { date +%s%3N; }

began=$(now)
expected=$(build "$work/first" "$work/image")
took=$(($(now) - began))
[[ $expected == sha256:* ]] || { echo "not ok - no digest: $expected"; exit 1; }
printf '# a build takes %s ms and makes %s; seed %s\n' "$took" "$expected" "${2:-$$}"

store=$work/store
killed=0 tried=0 halves=0
while [ "$killed" -lt "$kills" ]; do
	tried=$((tried + 1))
	[ "$tried" -le $((4 * kills + 20)) ] || { echo "not ok - of $tried builds only $killed were still running when they were to be killed"; exit 1; }
	options=()
	case $((RANDOM % 3)) in
	0) rm -rf "$store" ;;
	1) [ ! -d "$store" ] || "$COGPACK_TEST_BINARY" store gc --keep-days 0 --store "$store" >/dev/null ;;
	2) options=(--no-cache) ;;
	esac
	# In a subshell of its own `$!` would be the subshell.
	"$COGPACK_TEST_BINARY" build "$work/project" --builder direct "${layouts[@]}" --store "$store" \
		--output "type=layout,dest=$work/killed" --progress quiet "${options[@]}" >/dev/null 2>"$work/said" &
	pid=$!
	beside=''
	if [ $((RANDOM % 4)) = 0 ]; then
		build "$store" "$work/beside" >"$work/beside-digest" 2>"$work/beside-said" &
		beside=$!
	fi
	delay=$((RANDOM * 32768 + RANDOM))
	delay=$((delay % took))
	sleep "$((delay / 1000)).$(printf '%03d' $((delay % 1000)))"
	status=0
	kill -KILL "$pid" 2>/dev/null || true
	wait "$pid" 2>/dev/null || status=$?
	case $status in
	137) killed=$((killed + 1)) ;;
	0) ;;
	*) echo "not ok - the build failed by itself: $status"; cat "$work/said"; exit 1 ;;
	esac
	[ -e "$store/work" ] && [ -n "$(ls "$store/work")" ] && halves=$((halves + 1))
	if [ -d "$store" ] && [ -f "$store/version" ]; then
		"$COGPACK_TEST_BINARY" store verify --store "$store" >"$work/verified" 2>&1 || {
			echo "not ok - after $delay ms the store is damaged"
			cat "$work/verified"
			exit 1
		}
	fi
	if [ -n "$beside" ]; then
		wait "$beside" || { echo 'not ok - the build beside the killed one failed'; cat "$work/beside-said"; exit 1; }
		[ "$(cat "$work/beside-digest")" = "$expected" ] || { echo 'not ok - the build beside made another image'; exit 1; }
	fi
	digest=$(build "$store" "$work/next" 2>"$work/said") || { echo "not ok - after $delay ms the next build fails"; cat "$work/said"; exit 1; }
	[ "$digest" = "$expected" ] || { echo "not ok - after $delay ms the next build makes $digest"; exit 1; }
done
printf 'ok - of %s builds %s were killed, %s of them with something half made: each time the store verifies and the next build makes the same image\n' \
	"$tried" "$killed" "$halves"
exits 'nothing half made is left' 1 grep -r . "$store/work"
exits 'nothing is mounted' 1 grep -F "$work" /proc/self/mounts
# Those who watch over containers have a moment to end them.
for _ in $(seq 300); do
	pgrep -f "$work" >/dev/null || break
	sleep 0.1
done
exits 'no process is left' 1 pgrep -f "$work"
