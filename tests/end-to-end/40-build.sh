#!/usr/bin/env bash
# The example model, built by our own client on both engines: it runs and answers, a second
# build does nothing, and a changed file makes only what depends on it, as `explain` says before by the
# record of the build.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
project=$work/language-detector
cp -R "$repository/examples/language-detector" "$project"
sed -i "s|docker.io/library/python:3.11-slim|$base|" "$project/plan.cpk"
# A file that no engine has seen makes the first build a first one.
printf '# %s\n' "$RANDOM$RANDOM$RANDOM" | tee -a "$project/serve.py" >>"$project/weights/note.md"
code_line=$(grep -n 'copy "predict.py"' "$project/plan.cpk" | cut -d: -f1)
detector_line=$(grep -n 'copy "detector"' "$project/plan.cpk" | cut -d: -f1)
weights_line=$(grep -n 'copy "weights"' "$project/plan.cpk" | cut -d: -f1)

# explains TEXT: whether `explain --since last` says so.
explains() { "$COGPACK_TEST_BINARY" explain "$project/plan.cpk" --since last | grep -qF -- "$1"; }

# lines_of LIST CONDITION FILE: the lines of the plan that a list in a JSON file names.
lines_of() {
	python3 -c 'import json, sys
print(*sorted({it["line"] for it in json.load(open(sys.argv[3]))[sys.argv[1]] if eval(sys.argv[2])}))' "$@"
}

builds_the_example() {
	local which=$1 image=cogpack-test/language-detector:$$
	builds "on-the-$which-engine" "$project/plan.cpk" --tag "$image" --metadata-file "$work/metadata.json" --iidfile "$work/id"
	answers_predictions "$image"
	prints 'the id in the file is the one that the engine knows' "$(docker image inspect --format '{{.Id}}' "$image")" cat "$work/id"
	prints 'the image has the config of the plan' '["python3","serve.py"] /src {"5000/tcp":{}}' \
		docker image inspect --format '{{json .Config.Cmd}} {{.Config.WorkingDir}} {{json .Config.ExposedPorts}}' "$image"

	builds "again-on-the-$which-engine" "$project/plan.cpk" --tag "$image"
	prints 'a second build runs nothing' '' steps_run "again-on-the-$which-engine"

	exits 'by its record nothing would run' 0 explains 'nothing runs again'
	printf '# touched\n' >>"$project/serve.py"
	exits 'now a file is the reason' 0 explains '`serve.py` of @project is changed'
	"$COGPACK_TEST_BINARY" explain "$project/plan.cpk" --since last --format json >"$work/why"
	builds "touched-on-the-$which-engine" "$project/plan.cpk" --tag "$image"
	steps_run "touched-on-the-$which-engine" >"$work/ran"
	lines_of runs '"cause" in it' "$work/why" >"$work/said"
	prints 'by the new record just that ran which was said' "$(cat "$work/said")" \
		lines_of ops 'it["state"] == "ran"' "$project/.cog/records/plan.cpk.json"
	exits 'of each op that ran it has key and time, and of those in the image the size' 0 python3 -c 'import json, sys
ran = [it for it in json.load(open(sys.argv[1]))["ops"] if it["state"] == "ran"]
sys.exit(not ran or any(None in (it["key"], it["took_ms"]) for it in ran) or not any(it["size"] for it in ran))' \
		"$project/.cog/records/plan.cpk.json"
	exits 'a changed source file leaves the weights alone' 1 grep -qw "$weights_line" "$work/ran"
	exits 'and makes the layer of the code' 0 grep -Eqw "$detector_line|$code_line" "$work/ran"
	answers_predictions "$image"
	docker image rm --force "$image" >/dev/null
}
on_each_engine builds_the_example
