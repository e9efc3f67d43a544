#!/usr/bin/env bash
# Models from their directories: locked, planned and built on each engine and without one, all with the
# same files, and each answers a real prediction by cog's own server.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
cp -r "$repository/tests/models" "$work/models"

installs_uv

writes_catalogue "$work/catalogue.toml"
catalogue=(--catalogue "$work/catalogue.toml")

# predicts IMAGE JSON OUTPUT: its server becomes ready and gives this output.
predicts() {
	local image=$1 input=$2 output=$3 port container url
	port=$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	container=$(docker run --detach --network "$COGPACK_TEST_NETWORK" --env "PORT=$port" \
		--publish "127.0.0.1:$port:$port" "$image" 2>"$work/errors")
	url=http://127.0.0.1:$port
	for _ in $(seq 100); do
		curl --silent "$url/health-check" | grep -q '"status":"READY"' && break
		sleep 0.2
	done
	curl --silent --header 'content-type: application/json' --data "{\"input\": $input}" "$url/predictions" >"$work/answer" || true
	prints "$image answers" "$output" \
		python3 -c 'import json, sys; print(json.dumps(json.load(open(sys.argv[1])).get("output")))' "$work/answer"
	docker rm --force "$container" >/dev/null
}

declare -A input=([greet]='{"name": "Ada"}' [mean]='{"numbers": [1, 2, 6]}' [parts]='{"text": "one more word"}')
declare -A output=([greet]='"good evening, Ada"' [mean]=3.0 [parts]='["1 one", "2 more", "3 word"]')

for model in greet mean; do
	exits "the model $model is locked" 0 "$cogpackc" lock "$work/models/$model"
	exits 'which is up to date then' 0 "$cogpackc" lock "$work/models/$model" --locked
	cp "$work/models/$model/pylock.cog.toml" "$work/lock"
	exits 'and stays as it is' 0 "$cogpackc" lock "$work/models/$model"
	exits 'to the byte' 0 cmp "$work/lock" "$work/models/$model/pylock.cog.toml"
	exits 'its plan breaks no rule' 0 sh -c '"$1" plan "$2" --catalogue "$3" | "$1" check -' - \
		"$cogpackc" "$work/models/$model" "$work/catalogue.toml"
done
# The third is locked by its first build.
exits 'a model without a lock has no plan' 1 "$cogpackc" plan "$work/models/parts" --catalogue "$work/catalogue.toml"

# stages_run NAME: the stages of which that build ran something. What is made of the plan's own text
# beside a stage, to be copied into it, daemons make anew each time, and then know that it is the same.
stages_run() {
	python3 - "$(build_log "$1")" <<'END'
import json, sys
events = [json.loads(line) for line in open(sys.argv[1]) if line.startswith("{")]
steps = next(event for event in events if event["event"] == "planned")["steps"]
ran = {event["step"] for event in events if event["event"] == "finished"}
did = [step for number, step in enumerate(steps) if number in ran and not step["name"].startswith("make ")]
print(*sorted({step["place"] for step in did if step.get("place", "").startswith("%")}))
END
}

on_an_engine() {
	local model image
	for model in greet mean parts; do
		image=cogpack-test/$model:$$
		builds "$model-$1" "$work/models/$model" "${catalogue[@]}" --tag "$image"
		predicts "$image" "${input[$model]}" "${output[$model]}"
		docker image rm --force "$image" >/dev/null
		builds "$model-files-$1" "$work/models/$model" "${catalogue[@]}" --output "type=tar,dest=$work/$model.tar"
		"$repository/tests/end-to-end/files-of" "$work/$model.tar" >"$work/$model-$1.files"
	done
	echo "# edited for the $1 engine, $$" >>"$work/models/greet/predict.py"
	builds "edited-$1" "$work/models/greet" "${catalogue[@]}" --output "type=tar,dest=$work/edited.tar"
	prints 'an edit of the project makes its own stage anew, and no other' '%source' stages_run "edited-$1"
	cp "$repository/tests/models/greet/predict.py" "$work/models/greet/"
}
on_each_engine on_an_engine

for model in greet mean parts; do
	builds "$model-direct" "$work/models/$model" "${catalogue[@]}" --builder direct \
		--output "type=docker,dest=$work/$model.tar"
	"$repository/tests/end-to-end/files-of" "$work/$model.tar" >"$work/$model-direct.files"
	for engine in older newer; do
		exits "the $engine engine and this process make the same files of $model" 0 \
			diff "$work/$model-$engine.files" "$work/$model-direct.files"
	done
done
