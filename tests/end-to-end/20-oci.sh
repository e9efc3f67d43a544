#!/usr/bin/env bash
# The example model as an OCI layout, made without a daemon: the ordinary tools take it, a
# runtime runs it, an engine loads it, and it answers a prediction.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
plan=$repository/examples/language-detector/plan.cpk
layout=$work/layout
base=$COGPACK_TEST_LAYOUTS/python:3.11-slim

exits 'the plan compiles to an OCI layout on a base layout' 0 \
	"$cogpackc" "$plan" -o oci -O "$layout" --layout "python=$base"
matches 'skopeo reads it' '"Architecture": "(amd64|arm64)"' skopeo inspect "oci:$layout"
tag=$(python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["manifests"][0]["annotations"]["org.opencontainers.image.ref.name"])' "$layout/index.json")
exits 'skopeo copies it, digests and all' 0 \
	skopeo copy --preserve-digests "oci:$layout:$tag" "oci:$work/copied:$tag"
exits 'umoci unpacks it' 0 umoci unpack --image "$layout:$tag" "$work/bundle"
exits 'what is unpacked holds the project' 0 \
	diff -r "$repository/examples/language-detector/detector" "$work/bundle/rootfs/src/detector"
prints 'crun runs it' de \
	"$repository/tests/rig/run-oci" "$layout:$tag" -- \
	python3 -c 'import predict; p = predict.Predictor(); p.setup(); print(p.run("Wo ist denn hier der Bahnhof?"))'

exits 'the same plan gives the same bytes' 0 \
	"$cogpackc" "$plan" -o oci -O "$work/again" --layout "python=$base"
exits 'in every file' 0 diff -r "$layout" "$work/again"

exits 'the plan compiles to a tar' 0 "$cogpackc" "$plan" -o oci -O "$work/image.tar" --layout "python=$base"
matches 'the engine loads it' 'Loaded image' docker load --input "$work/image.tar"
loaded=$(docker load --quiet --input "$work/image.tar" | sed -n 's/^Loaded image\( ID\)\?: //p')
answers_predictions "$loaded"
docker image rm --force "$loaded" >/dev/null

exits 'the model alone compiles without any base' 0 \
	"$cogpackc" "$repository/examples/language-detector/app.cpk" -o oci -O "$work/app"
exits 'and umoci unpacks that too' 0 umoci unpack --image "$work/app:latest" "$work/app-bundle"
cat >"$work/expected" <<'END'
./src/detector/__init__.py
./src/detector/model.py
./src/predict.py
./src/serve.py
./src/weights/trigrams.json
END
(cd "$work/app-bundle/rootfs" && find . -type f | sort) >"$work/found"
exits 'with nothing else in it' 0 diff "$work/expected" "$work/found"
