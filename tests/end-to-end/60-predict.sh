#!/usr/bin/env bash
# Predictions of real models behind cog's own server: on each engine, and by an OCI runtime without any.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
base=$COGPACK_TEST_LAYOUTS/python:3.11-slim
project=$work/project
mkdir "$project" "$project/src"

# cog and all that it needs, as uv locks it.
installs_uv
printf 'cog==0.23.1\n' >"$work/requirements.in"
exits 'uv locks cog' 0 uv pip compile --quiet --no-config --no-cache --format pylock.toml --python-version 3.11 \
	--output-file "$work/pylock.toml" "$work/requirements.in"
"$cogpackc" lock wheels "$work/pylock.toml" --python 3.11 --interpreter /venv/bin/python --as packages >"$work/packages"

{
	printf 'cpk 1\n\nimage @python = "%s/base/python:3.11-slim"\n\n' "$COGPACK_TEST_REGISTRY"
	cat "$work/packages"
	cat <<'END'

context @source = dir "src"

stage %venv from image @python {
  file "/venv/pyvenv.cfg" = "home = /usr/bin\ninclude-system-site-packages = false\n"
  symlink "/usr/bin/python3" at "/venv/bin/python"
  copy "." from @packages to "/venv"
  env prepend PATH "/venv/bin"
}

stage %app from %venv {
  copy "." from @source to "/src"
  env COG_PREDICT_TYPE_STUB = "model.py:Runner"
  workdir "/src"
}

END
	# A number that the server ignores, and by which its processes are found.
	printf '\nexport from %%app {\n  cmd ["python", "-m", "cog.server.http", "--threads", "%s"]\n}\n' $$
} >"$project/plan.cpk"

cat >"$project/src/model.py" <<'END'
import os, time
from typing import Any
from cog import BaseRunner, Path

class Runner(BaseRunner):
    def setup(self):
        time.sleep(int(os.environ.get("PAUSE", 0)))
        print("setting up with", os.environ.get("GREETING", "nothing"))
        if os.environ.get("BREAK") == "setup":
            raise RuntimeError("there are no weights")

    def run(self, text: str = "", file: Path = None, seconds: int = 0) -> Any:
        if text == "fail":
            raise ValueError("this text is not liked")
        if text == "end":
            os._exit(7)
        if file is not None:
            files = []
            for number in range(2):
                path = Path(f"/tmp/{number}.txt")
                path.write_text(file.read_text().upper() * (number + 1))
                files.append(path)
            return files
        print("waiting for", seconds)
        for _ in range(10 * int(seconds)):
            time.sleep(0.1)
        return os.environ.get("GREETING", "hello") + " " + text
END

# The same with a schema: the server knows by it that the model streams, and we which input is a number.
python3 - "$project" <<'PYTHON'
import json, pathlib, sys
project = pathlib.Path(sys.argv[1])
schema = {"openapi": "3.0.2", "info": {"title": "Cog", "version": "0.1.0"}, "paths": {"/predictions": {"post": {"x-cog-streaming": True}}},
          "components": {"schemas": {
              "Input": {"type": "object", "title": "Input", "required": ["text"], "properties": {
                  "text": {"type": "string", "title": "Text"}, "count": {"type": "integer", "title": "Count", "default": 2}}},
              "Output": {"type": "array", "items": {"type": "string"}, "title": "Output", "x-cog-array-type": "iterator"},
              "PredictionRequest": {"type": "object", "properties": {"input": {"$ref": "#/components/schemas/Input"}}}}}}
text = json.dumps(schema)
plan = (project / "plan.cpk").read_text().replace("model.py:Runner", "stream.py:Runner")
copy = '  copy "." from @source to "/src"\n'
plan = plan.replace(copy, f'{copy}  file "/src/.cog/openapi_schema.json" = {json.dumps(text)}\n')
label = f'  label run.cog.openapi_schema = {json.dumps(text)}\n'
(project / "stream.cpk").write_text(plan.replace('  cmd ["python"', label + '  cmd ["python"'))
PYTHON
cat >"$project/src/stream.py" <<'END'
import time
from typing import Iterator
from cog import BaseRunner, streaming

class Runner(BaseRunner):
    @streaming
    def run(self, text: str, count: int = 2) -> Iterator[str]:
        for number in range(count):
            time.sleep(0.2)
            yield f"{text} {number} at {time.time()}"
END
printf 'quiet' >"$work/in.txt"

predict() { "$cogpackc" predict "$@" --store "$work/store" --progress quiet; }

# nothing_is_left WHERE: no container, no mount and no process of a prediction.
nothing_is_left() {
	if [ "$1" = direct ]; then
		exits "$1: nothing runs" 1 pgrep -f "cog.server.http --threads $$"
		exits "$1: nothing is mounted" 1 grep -F "$work/store" /proc/self/mounts
		exits "$1: no file is left" 1 grep -r . "$work/store/work"
	else
		# Others may ask models of the same engine.
		docker ps --all --quiet --no-trunc --filter label=run.cogpack.predict |
			xargs --no-run-if-empty docker inspect --format '{{.Config.Cmd}}' >"$work/containers" 2>/dev/null || true
		exits "$1: no container is left" 1 grep -F -- "--threads $$]" "$work/containers"
	fi
}

# answers WHERE OPTION...: a text, files, and Ctrl-C.
answers() {
	local where=$1 pid status=0
	shift
	exits "$where: a text goes in" 0 predict "$project" -i text=you -e GREETING='good day' "$@"
	cp "$work/output" "$work/said"
	prints "$where: and comes out" 'good day you' cat "$work/said"
	prints "$where: the log of its setup is shown" '  │ setting up with good day' cat "$work/said"
	exits "$where: files go in and come out" 0 predict "$project" -i file=@"$work/in.txt" -o "$work/$where.txt" "$@"
	prints "$where: the first file" QUIET cat "$work/$where.0.txt"
	prints "$where: the second file" QUIETQUIET cat "$work/$where.1.txt"
	"$cogpackc" predict "$project" -i seconds=60 --store "$work/store" --progress quiet "$@" >"$work/cancelled" 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 300); do
		! grep -q 'waiting for 60' "$work/cancelled" || break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	prints "$where: Ctrl-C cancels a prediction" 130 echo "$status"
	prints "$where: and says so" "cancelled: the model's container is gone" cat "$work/cancelled"
	nothing_is_left "$where"
}

# fails WHERE OPTION...: what goes wrong in a model, and before it.
fails() {
	local where=$1 pid status=0
	shift
	exits "$where: a prediction that fails" 1 predict "$project" -i text=fail "$@"
	mv "$work/output" "$work/said"
	matches "$where: is told in the model's words" '^error: the prediction failed: .*this text is not liked' cat "$work/said"
	exits "$where: a setup that fails" 2 predict "$project" -i text=you -e BREAK=setup "$@"
	mv "$work/output" "$work/setup"
	matches "$where: is told" "^error: the model's setup failed" cat "$work/setup"
	matches "$where: with its reason" 'because: .*there are no weights' cat "$work/setup"
	exits "$where: a setup that takes too long" 2 predict "$project" -i text=you -e PAUSE=60 --setup-timeout 1 "$@"
	mv "$work/output" "$work/setup"
	prints "$where: is not waited for" 'error: the model was not ready within 1 s' cat "$work/setup"
	matches "$where: with its state" "because: its server (says STARTING|does not answer)" cat "$work/setup"
	matches "$where: and a way out" 'hint: `--setup-timeout SECONDS` gives it more time' cat "$work/setup"
	exits "$where: a model whose process ends" 1 predict "$project" -i text=end "$@"
	"$cogpackc" predict "$project" -i seconds=60 --store "$work/store" --progress quiet "$@" >"$work/ended" 2>&1 </dev/null &
	pid=$!
	for _ in $(seq 300); do
		! grep -q 'waiting for 60' "$work/ended" || break
		sleep 0.1
	done
	exits "$where: a server that is killed in the middle" 0 pkill -KILL -f "^[^ ]*python[^ ]* -m cog.server.http --threads $$"
	wait "$pid" || status=$?
	prints "$where: is a failure" 2 echo "$status"
	matches "$where: is told by how it ended" "^error: the model's container .* in the middle of the prediction" cat "$work/ended"
	matches "$where: with a way out" 'hint: look whether it has enough memory' cat "$work/ended"
	nothing_is_left "$where"
}

# streams WHERE OPTION...: output comes as it is made.
streams() {
	local where=$1 pid status=0
	shift
	exits "$where: an iterator" 0 predict "$project/stream.cpk" -i text=line -i count=3 "$@"
	cp "$work/output" "$work/said"
	prints "$where: gives its output line by line" '0 1 2 ' sh -c "sed -n 's/^line \\([0-9]*\\) at .*/\\1/p' '$work/said' | tr '\\n' ' '; echo"
	# What is shown while the model still works did not wait for its end.
	"$cogpackc" predict "$project/stream.cpk" -i text=line -i count=600 --store "$work/store" --progress quiet "$@" \
		>"$work/pieces" 2>/dev/null </dev/null &
	pid=$!
	for _ in $(seq 300); do
		! grep -q '^line 1 at' "$work/pieces" || break
		sleep 0.1
	done
	kill -INT "$pid"
	wait "$pid" || status=$?
	prints "$where: it is cancelled in the middle" 130 echo "$status"
	matches "$where: when some of its output was shown" '^line 1 at' cat "$work/pieces"
	exits "$where: and not all" 1 grep '^line 599 at' "$work/pieces"
	exits "$where: an input that is no number" 1 predict "$project/stream.cpk" -i text=line -i count=many "$@"
	mv "$work/output" "$work/said"
	matches "$where: is told" 'the input `count` must be `int' cat "$work/said"
	exits "$where: an input that is not there" 1 predict "$project/stream.cpk" -i txt=line "$@"
	mv "$work/output" "$work/said"
	matches "$where: is told" 'no input .txt.' cat "$work/said"
	matches "$where: is told with the nearest one" 'did you mean .text.\?' cat "$work/said"
	nothing_is_left "$where"
}

network=(--network "$COGPACK_TEST_NETWORK")
answers older "${network[@]}"
fails older "${network[@]}"
streams older "${network[@]}"
prints 'on the network of the machine' 'hello you' predict "$project" -i text=you --network host
nothing_is_left older
prints 'as JSON' '  "status": "succeeded",' predict "$project" --json '{"text": "you"}' --format json "${network[@]}"
printf '{"text": "from a file"}' >"$work/in.json"
prints 'as a file of JSON' 'hello from a file' predict "$project" --json @"$work/in.json" "${network[@]}"
prints 'as JSON of standard input' 'hello from a file' sh -c '"$@" <"$0"' "$work/in.json" \
	"$cogpackc" predict "$project" --json @- --store "$work/store" --progress quiet "${network[@]}"
exits 'a project as an image' 0 "$cogpackc" build "$project" -t "cogpack-test/predict:$$" --store "$work/store" --progress quiet
prints 'which is asked by its name, by the other name of the command' 'hello you' \
	"$cogpackc" run "cogpack-test/predict:$$" -i text=you "${network[@]}"
docker image rm --force "cogpack-test/predict:$$" >/dev/null
exits 'an image that is not there' 2 "$cogpackc" predict "cogpack-test/predict:$$" -i text=you
mv "$work/output" "$work/said"
matches 'is told with a way out' 'docker pull' cat "$work/said"
(
	on_next_engine
	answers newer --network "$COGPACK_TEST_NETWORK"
	exits 'newer: an iterator' 0 predict "$project/stream.cpk" -i text=line -i count=3 --network "$COGPACK_TEST_NETWORK"
	cp "$work/output" "$work/said"
	prints 'newer: gives its output line by line' 3 grep -c '^line [0-2] at' "$work/said"
)

if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	direct=(--builder direct --layout "python=$base")
	answers direct "${direct[@]}"
	fails direct "${direct[@]}"
	exits 'a project as a layout' 0 "$cogpackc" build "$project" "${direct[@]}" --store "$work/store" \
		--output "type=layout,dest=$work/layout" --progress quiet
	prints 'which is asked without an engine' 'hello you' predict "$work/layout" -i text=you
	nothing_is_left direct

	# Two models that start in the same second on one network want the same address, by which their servers
	# know the processes of the models. A holder stands for the other one, on a network that only it and
	# this model are on.
	cat >"$work/beside-a-holder" <<'END'
import fcntl, socket, struct, subprocess, sys
SIOCSIFFLAGS, IFF_UP = 0x8914, 1
fcntl.ioctl(socket.socket(socket.AF_INET, socket.SOCK_DGRAM), SIOCSIFFLAGS, struct.pack("16sh14x", b"lo", IFF_UP))
holder = socket.socket(socket.AF_UNIX)
holder.bind("\0coglet-1-0")
model = subprocess.Popen(sys.argv[2:], stderr=subprocess.PIPE, text=True)
for line in model.stderr:
    sys.stderr.write(line)
    if sys.argv[1] == "gives-up" and "starting this one again" in line:
        holder.close()
sys.exit(model.wait())
END
	beside_a_holder() {
		unshare --net python3 "$work/beside-a-holder" "$1" "$cogpackc" predict "$work/layout" -i text=you \
			--store "$work/store" --progress quiet
	}
	exits 'a model whose address is in use is started again' 0 beside_a_holder gives-up
	mv "$work/output" "$work/said"
	prints 'and answers' 'hello you' cat "$work/said"
	prints 'which is told once' 1 grep -c "another model starts on this machine's network" "$work/said"
	exits 'with nothing of its log' 1 grep 'Address already in use' "$work/said"
	exits 'an address that stays in use' 2 beside_a_holder stays
	mv "$work/output" "$work/said"
	prints 'is a failure' "error: the model's server cannot talk to the model's own process" cat "$work/said"
	matches 'with its cause' 'because: .*Address already in use' cat "$work/said"
	matches 'and a way out' 'hint: try again when no other model starts' cat "$work/said"
	prints 'told once, too' 1 grep -c "another model starts on this machine's network" "$work/said"
	nothing_is_left direct

	# by_user OPTION...: asks as somebody who is not root, without an engine.
	by_user() {
		(cd "$home" && setpriv --reuid "$user" --regid "$user" --init-groups env HOME="$home" COGPACK_STORE="$home/store" \
			DOCKER_HOST="unix://$home/none" ./cogpackc predict "$@" --progress quiet)
	}
	missing=
	for tool in useradd userdel setpriv newuidmap newgidmap; do
		command -v "$tool" >/dev/null || missing=$tool
	done
	if [ -n "$missing" ]; then
		echo "not shown: nobody but root is asked, there is no $missing on PATH"
	else
		user=cogpack-predict
		home=$(mktemp -d /tmp/cogpack-predict.XXXXXX)
		userdel "$user" 2>/dev/null || true
		useradd --no-create-home --home-dir "$home" "$user"
		trap 'removes_user "$user"; rm -rf "$home" "$work"' EXIT
		grep -q "^$user:" /etc/subuid || usermod --add-subuids 800000-865535 --add-subgids 800000-865535 "$user"
		install -m 755 "$cogpackc" "$home/cogpackc"
		cp -RL "$COGPACK_TEST_LAYOUTS/python" "$home/python"
		cp -R "$project" "$home/project"
		chown -R "$user" "$home"
		chmod 755 "$home"
		prints 'an ordinary user asks a project without an engine' 'hello you' by_user project -i text=you --layout python=python:3.11-slim
		exits 'with files, too' 0 by_user project -i file=@project/src/model.py -o out --layout python=python:3.11-slim
		prints 'which are the user'\''s' "$user" stat --format %U "$home/out.0"
		exits 'a setup that fails is told' 2 by_user project -i text=you -e BREAK=setup --layout python=python:3.11-slim
		mv "$work/output" "$work/setup"
		matches 'with its reason' 'because: .*there are no weights' cat "$work/setup"
		exits 'nothing runs afterwards' 1 pgrep -f "cog.server.http --threads $$"
		exits 'and no file is left' 1 grep -r . "$home/store/work"
	fi
fi
