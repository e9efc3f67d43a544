#!/usr/bin/env bash
# The example model as a Dockerfile: the engine builds it, and the image answers a prediction.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
project=$work/language-detector
cp -R "$repository/examples/language-detector" "$project"
sed -i "s|docker.io/library/python:3.11-slim|$base|" "$project/plan.cpk"

exits 'the plan compiles to a Dockerfile' 0 \
	"$cogpackc" "$project/plan.cpk" -o dockerfile --syntax none --self-contained -O "$work/eject"
image=$COGPACK_TEST_REGISTRY/test/language-detector:$$
exits 'the engine builds it' 0 \
	env DOCKER_BUILDKIT=1 docker build --network "$COGPACK_TEST_NETWORK" --tag "$image" "$work/eject"
answers_predictions "$image"

prints 'the image has the config of the plan' '["python3","serve.py"] /src {"5000/tcp":{}}' \
	docker image inspect --format '{{json .Config.Cmd}} {{.Config.WorkingDir}} {{json .Config.ExposedPorts}}' "$image"
matches 'and the environment of its base, with its own' 'PATH=.*PYTHONUNBUFFERED=1 PORT=5000' \
	docker image inspect --format '{{range .Config.Env}}{{.}} {{end}}' "$image"
exits 'nothing that the plan leaves out is in it' 1 \
	docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" test -e /src/corpus
docker image rm --force "$image" >/dev/null
