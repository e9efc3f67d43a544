#!/usr/bin/env bash
# An eject as its reader meets it: the command of its README builds it, with every builder, and
# the image answers a prediction. Compiling again replaces what is ours, and nothing that a person
# has changed. A secret is asked for where the plan wants one, and refused where a builder would
# keep it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
PATH=$(dirname "${COGPACK_TEST_BUILDAH:?}"):$PATH
base=$COGPACK_TEST_REGISTRY/base/python:3.11-slim
project=$work/language-detector
cp -R "$repository/examples/language-detector" "$project"
sed -i "s|docker.io/library/python:3.11-slim|$base|" "$project/plan.cpk"

# an_eject_answers NAME DIALECT-OPTION...: as it is by default and with all that it reads.
an_eject_answers() {
	local name=$1 image=$COGPACK_TEST_REGISTRY/test/eject-$1:$$ kind
	shift
	for kind in near --self-contained; do
		rm -rf "$project/eject"
		if [ "$kind" = near ]; then
			exits "the plan compiles for $name" 0 "$cogpackc" "$project/plan.cpk" -o dockerfile "$@" -O "$project/eject"
		else
			exits "and with all that it reads" 0 "$cogpackc" "$project/plan.cpk" -o dockerfile "$@" "$kind" -O "$project/eject"
		fi
		builds_as_it_says "$image" "$project" "$project/eject"
	done
	if [ "$name" = buildah ]; then
		exits 'the image goes to where the engine finds it' 0 buildah push --quiet "$image" "docker://$image"
		buildah rmi --force "$image" >/dev/null
	fi
	answers_predictions "$image"
	docker image rm --force "$image" >/dev/null
}
an_eject_answers buildkit-older --dialect buildkit --syntax none
an_eject_answers classic --dialect legacy
an_eject_answers buildah --dialect buildah
(
	on_next_engine
	an_eject_answers buildkit-newer --dialect buildkit
)

eject=$work/eject
compiles() { # WHAT STATUS OPTION...
	local what=$1 status=$2
	shift 2
	exits "$what" "$status" "$cogpackc" "$project/plan.cpk" -o dockerfile --dialect legacy -O "$eject" "$@"
}
compiles 'the plan is ejected' 0
cp "$eject/Dockerfile" "$work/first"
printf 'mine\n' >"$eject/notes.txt"
compiles 'and once more over itself' 0
exits 'which changes nothing' 0 cmp "$eject/Dockerfile" "$work/first"
prints 'and leaves what is not ours' mine cat "$eject/notes.txt"
printf '# by hand\n' >>"$eject/Dockerfile"
compiles 'a file that a person changed is not replaced' 2
cp "$work/output" "$work/said"
matches 'which is said' 'Dockerfile' cat "$work/said"
prints 'and it is as it was left' '# by hand' cat "$eject/Dockerfile"
compiles 'unless that is asked for' 0 --force
exits 'and then it is ours again' 0 cmp "$eject/Dockerfile" "$work/first"
prints 'while what is not ours stays' mine cat "$eject/notes.txt"

# Where the directory above it cannot be written, or something is mounted on it, and where nothing can.
mkdir "$work/shared" "$work/shared/eject" "$work/shared/mounted"
printf 'cpk 1\n\nstage %%app from scratch {\n  env PATH = "/bin"\n}\n\nexport from %%app\n' >"$work/shared/plan.cpk"
chmod 755 "$work" "$work/shared"
# The other user may not be allowed where the program lies.
cp "$cogpackc" "$work/cogpackc"
chown 65534:65534 "$work/shared/eject"
ejects_as_nobody() { # NAME
	setpriv --reuid=65534 --regid=65534 --clear-groups "$work/cogpackc" "$work/shared/plan.cpk" -o dockerfile -O "$work/shared/$1"
}
for time in first second; do
	exits "a directory of somebody's own is written, the $time time" 0 ejects_as_nobody eject
	exits "and one on which something is mounted, the $time time" 0 unshare --mount bash -ec \
		"mount --bind '$work/shared/eject' '$work/shared/mounted'
		 '$cogpackc' '$work/shared/plan.cpk' -o dockerfile -O '$work/shared/mounted'"
	chown --recursive 65534:65534 "$work/shared/eject"
done
prints 'and nothing else is left there' '.cogpackc-manifest Dockerfile README.md' \
	bash -c "cd '$work/shared/eject' && echo .[!.]* *"
exits 'a directory that cannot be written is an error' 2 ejects_as_nobody mounted
cp "$work/output" "$work/said"
matches 'which names it' 'shared/mounted`' cat "$work/said"

mkdir "$work/secret"
printf 'a value for the eject' >"$work/secret/token"
cat >"$work/secret/plan.cpk" <<-END_OF_PLAN
	cpk 1

	image @python = "$base"

	secret token

	stage %app from image @python {
	  run "sha256sum </run/secrets/token >/used" {
	    mount secret token at /run/secrets/token
	  }
	}

	export from %app
	END_OF_PLAN
shows_the_secret() { # NAME DIALECT-OPTION...
	local name=$1 image=$COGPACK_TEST_REGISTRY/test/eject-secret-$1:$$
	shift
	rm -rf "$work/secret/eject"
	exits "a plan with a secret compiles for $name" 0 "$cogpackc" "$work/secret/plan.cpk" -o dockerfile "$@" -O "$work/secret/eject"
	cp "$work/secret/token" "$work/secret/eject/token"
	builds_as_it_says "$image" "$work/secret" "$work/secret/eject"
	if [ "$name" = buildah ]; then
		exits 'the image goes to where the engine finds it' 0 buildah push --quiet "$image" "docker://$image"
		buildah rmi --force "$image" >/dev/null
	fi
	prints 'the program was given the secret' "$(sha256sum <"$work/secret/token")" \
		docker run --rm --network "$COGPACK_TEST_NETWORK" "$image" cat /used
	docker image rm --force "$image" >/dev/null
}
shows_the_secret buildkit-older --dialect buildkit --syntax none
shows_the_secret buildah --dialect buildah
exits 'the classic builder would keep it in a layer: refused' 1 \
	"$cogpackc" "$work/secret/plan.cpk" -o dockerfile --dialect legacy -O "$work/kept"
cp "$work/output" "$work/said"
matches 'by name' 'secret' cat "$work/said"
exits 'and nothing is written' 1 test -e "$work/kept"
