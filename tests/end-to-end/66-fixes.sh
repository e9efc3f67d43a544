#!/usr/bin/env bash
# A plan that `check --fix` has mended builds the same files by a real pip, and installs nothing again after an
# edit of a source. What `--unsafe-fixes` writes builds too, with the words that it says.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
project=$work/project
mkdir -p "$project/pins" "$project/wheels"
"$repository/tests/end-to-end/make-wheel" "$project/wheels" spelling 1.0 >"$work/digest"
# No other run of this script has built the same.
printf 'spelling\n-c pins/base.txt\n# %s\n' "$work" >"$project/requirements.txt"
printf 'spelling==1.0\n' >"$project/pins/base.txt"
chmod 700 "$project/pins"
printf 'print(1)\n' >"$project/app.py"
cat >"$project/plan.cpk" <<END
cpk 1

platform linux/amd64

image @base = "$base"
  config empty

context @source = dir "." {
  exclude "wheels" "*.cpk"
}

context @wheels = dir "wheels"

cache pip

stage %app from image @base {
  env SERVICE_TOKEN = "not-to-be-shown"
  copy contents "." from @wheels to "/wheels"
  file "/etc/pip.conf" = "[global]\nno-index = true\nfind-links = /wheels\nbreak-system-packages = true\n"
  workdir "/srv/app"
  copy contents "." from @source to "/srv/app" owner 1000:1000
  run "mkdir -p /srv/data"
  run "pip install --no-compile -r requirements.txt" {
    mount cache pip at /root/.cache/pip
  }
  run "test \"\$SERVICE_TOKEN\" = not-to-be-shown"
}

export from %app {
  cmd ["python3", "app.py"]
}
END

files() { # NAME PLAN OPTION...
	local name=$1
	shift
	builds "$name" "$@" --output "type=tar,dest=$work/$name.tar"
	"$repository/tests/end-to-end/files-of" "$work/$name.tar" >"$work/$name.files"
}

cp "$project/plan.cpk" "$project/before.cpk"
files before "$project/before.cpk"
matches 'the requirement is installed' 'dist-packages/spelling.py|site-packages/spelling.py' cat "$work/before.files"

check=("$COGPACK_TEST_BINARY" check "$project/plan.cpk" --offline)
exits 'the plan is mended' 0 "${check[@]}" --fix
exits 'the copy of all stands behind the installation' 0 \
	awk '/pip install/ { installs = NR } /copy contents .*@source/ { copies = NR } END { exit !(copies > installs) }' "$project/plan.cpk"
cp "$project/plan.cpk" "$project/after.cpk"
files after "$project/after.cpk"
exits 'the files of the image are the same' 0 diff "$work/before.files" "$work/after.files"

line=$(grep -n 'pip install' "$project/after.cpk" | cut -d : -f 1)
printf 'print(2)\n' >"$project/app.py"
files edited "$project/after.cpk"
steps_run edited >"$work/lines"
exits 'an edit of a source installs nothing again' 1 grep -qw "$line" "$work/lines"
printf 'spelling>=1\n-c pins/base.txt\n# %s\n' "$work" >"$project/requirements.txt"
files required "$project/after.cpk"
steps_run required >"$work/lines"
exits 'an edit of what is required does' 0 grep -qw "$line" "$work/lines"

# What changes the image says what to look at, and how it is built then.
exits 'the rest is mended' 0 "${check[@]}" --fix --unsafe-fixes
cp "$work/output" "$work/told"
exits 'the value is not told' 1 grep -q not-to-be-shown "$work/told"
exits 'the build is told' 0 grep -qF -- '--secret id=service-token,env=SERVICE_TOKEN' "$work/told"
sed -i 's/= not-to-be-shown"/= given-by-who-builds"/' "$project/plan.cpk"
# Only a newer daemon shows a secret in a variable.
(
	on_next_engine
	SERVICE_TOKEN=given-by-who-builds builds mended "$project/plan.cpk" --secret id=service-token,env=SERVICE_TOKEN \
		--tag "cogpack-test/mended:$$"
	matches 'the program is run by who has files of the plan' '^1000:1000$' docker image inspect --format '{{.Config.User}}' "cogpack-test/mended:$$"
	docker image inspect "cogpack-test/mended:$$" >"$work/config"
	exits 'the variable is not in the image' 1 grep -q SERVICE_TOKEN "$work/config"
	matches 'and runs all the same' '^2$' docker run --rm "cogpack-test/mended:$$"
	docker image rm --force "cogpack-test/mended:$$" >/dev/null
)
