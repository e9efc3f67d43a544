#!/usr/bin/env bash
# Registries that let nobody in without a login: bases come from them and images go to them, with
# the logins that the docker command has: in its configuration, by a credential helper, and by a
# token that stands for an account. No secret is in anything that is said or kept.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
find_bytes=$repository/tests/end-to-end/find-bytes
home=${COGPACK_RIG_HOME:-${TMPDIR:-/tmp}/cogpack-test-rig}
servers=()
trap 'kill "${servers[@]}" 2>/dev/null || true; rm -rf --one-file-system "$work"' EXIT
mkdir "$work/said" "$work/tokens" "$work/project" "$work/helpers"

# Its usual base64 has characters that base64 for headers must not have.
printf 'open-%s-??????~~~~~~' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$work/password"
printf 'identity-%s' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" >"$work/tokens/identity"
password=$(cat "$work/password")
printf 'ada:%s' "$password" >"$work/tokens/login"

# registry NAME SETTINGS...: one that lets in who these settings say; `$registry` is where.
registry() {
	local name=$1
	shift
	registry=127.0.0.1:$(python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
	{
		printf 'version: 0.1\nlog: {level: error}\nstorage: {filesystem: {rootdirectory: "%s"}}\n' "$work/data-$name"
		printf 'http: {addr: "%s", secret: only-for-tests}\n' "$registry"
		printf '%s\n' "$@"
	} >"$work/$name.yml"
	docker-registry serve "$work/$name.yml" >"$work/$name.log" 2>&1 &
	servers+=($!)
	for _ in {1..100}; do
		if (: <>"/dev/tcp/${registry/://}") 2>/dev/null; then return; fi
		sleep 0.1
	done
	printf 'not ok - the registry %s comes up\n' "$name"
	cat "$work/$name.log"
	exit 1
}

python3 -W ignore -c 'import crypt, sys
print("ada:" + crypt.crypt(open(sys.argv[1]).read(), crypt.mksalt(crypt.METHOD_BLOWFISH, rounds=32)))' \
	"$work/password" >"$work/users"
registry named "auth: {htpasswd: {realm: tests, path: \"$work/users\"}}"
named=$registry

openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj '/CN=tests' -keyout "$work/tokens/key.pem" \
	-out "$work/tokens/certificate.pem" 2>/dev/null
"$repository/tests/end-to-end/serve-tokens" "$work/tokens" >"$work/port" 2>"$work/granted" &
servers+=($!)
for _ in {1..100}; do [ ! -s "$work/port" ] || break; sleep 0.1; done
registry tokens "auth: {token: {realm: \"http://127.0.0.1:$(cat "$work/port")/token\", service: tests, issuer: tests, rootcertbundle: \"$work/tokens/certificate.pem\"}}"
tokens=$registry

# The two plans of each engine: a base that nobody else has, and what is built on it.
printf 'base of this run %s\n' "$RANDOM$RANDOM$RANDOM" >"$work/project/base"
printf 'built on it %s\n' "$RANDOM$RANDOM$RANDOM" >"$work/project/app"
# plan NAME FROM
plan() {
	cat >"$work/project/$1.cpk" <<-END
		cpk 1

		$([ "$2" = scratch ] || printf 'image @base = "%s"\n' "$2")
		context @source = dir "." {
		  include "$1"
		}

		stage %app from $([ "$2" = scratch ] && printf scratch || printf 'image @base') {
		  copy "$1" from @source to "/$1"
		}

		export from %app
	END
}
plan base scratch

# config KIND JSON: a configuration of the docker command.
config() {
	mkdir "$work/config-$1"
	printf '%s\n' "$2" >"$work/config-$1/config.json"
}
config nobody '{}'
config wrong "{\"auths\": {\"$named\": {\"auth\": \"$(printf 'ada:open' | base64 -w0)\"}, \"$tokens\": {\"identitytoken\": \"other\"}}}"
config file "{\"auths\": {\"$named\": {\"auth\": \"$(printf 'ada:%s' "$password" | base64 -w0)\"}, \"$tokens\": {\"identitytoken\": \"$(cat "$work/tokens/identity")\"}}}"
config name "{\"auths\": {\"$tokens\": {\"auth\": \"$(base64 -w0 "$work/tokens/login")\"}}}"
config helpers "{\"credHelpers\": {\"$named\": \"of-tests\", \"$tokens\": \"of-tests\"}}"
config store '{"credsStore": "of-tests"}'
config missing '{"credsStore": "that-is-missing"}'
cat >"$work/helpers/docker-credential-of-tests" <<END
#!/bin/sh
read -r asked
echo "\$1 \$asked" >>"$work/asked"
case \$asked in
$named) printf '{"ServerURL": "%s", "Username": "ada", "Secret": "%s"}' "\$asked" "\$(cat "$work/password")" ;;
$tokens) printf '{"ServerURL": "%s", "Username": "<token>", "Secret": "%s"}' "\$asked" "\$(cat "$work/tokens/identity")" ;;
*) printf 'credentials not found in native keychain' && exit 1 ;;
esac
END
chmod +x "$work/helpers/docker-credential-of-tests"

# with KIND WHAT STATUS ARGUMENT...: builds with the logins of this configuration, and keeps what is said.
with() {
	local kind=$1 what=$2 status=$3
	shift 3
	exits "$what" "$status" env DOCKER_CONFIG="$work/config-$kind" PATH="$work/helpers:$PATH" \
		"$cogpackc" build "$@" --progress json --metadata-file "$work/metadata.json"
	cp "$work/output" "$work/said/$(find "$work/said" -type f | wc -l)"
	cp "$work/output" "$work/last"
}

# is_told REGISTRY: what was just refused is said by one error, which has a way out.
is_told() {
	prints 'by one error' 1 grep -c '^error' "$work/last"
	matches 'that names the registry' "^error.*$1" grep '^error' "$work/last"
	matches 'and the way out' "^hint: .*docker login $1" cat "$work/last"
}

# digest_at NAME:TAG: what the registry that knows names has there.
digest_at() {
	curl --silent --fail --head --user "ada:$password" "http://$named/v2/${1%:*}/manifests/${1#*:}" \
		--header 'Accept: application/vnd.docker.distribution.manifest.v2+json, application/vnd.oci.image.manifest.v1+json' |
		tr -d '\r' | sed -nE 's/^docker-content-digest: (.*)$/\1/Ip'
}

# lets_in WHICH REGISTRY KIND: an image is pushed, and another one built on it, by this login.
lets_in() {
	local image=$2/team/base:$1-$3
	with "$3" "the $1 engine pushes to $2 with the login of $3" 0 "$work/project/base.cpk" --tag "$image" --tag "$image-too" --push
	cp "$work/metadata.json" "$work/pushed.json"
	docker image rm --force "$image" "$image-too" >/dev/null
	plan app "$image"
	with "$3" 'who has the login may build on that' 0 "$work/project/app.cpk" --output "type=tar,dest=$work/app.tar"
	prints 'and has what is in both' "$(cat "$work/project/base" "$work/project/app")" tar -xOf "$work/app.tar" base app
	without_a_daemon "$3" 'without a daemon too' 0 "$work/project/app.cpk" --output "type=layout,dest=$work/layout"
	exits 'which takes the layer of the base as it is' 0 test -s "$work/layout/blobs/sha256/$(layer_of "$image" "$3")"
}

# without_a_daemon KIND WHAT STATUS ARGUMENT...: as `with`, by nobody who could have the base or the login already.
without_a_daemon() {
	rm -rf --one-file-system "$work/store" "$work/layout"
	with "$@" --builder direct --store "$work/store"
}

# layer_of IMAGE KIND: the digest of its first layer, without the algorithm.
layer_of() {
	DOCKER_CONFIG=$work/config-$2 PATH=$work/helpers:$PATH skopeo inspect --raw --tls-verify=false "docker://$1" |
		python3 -c 'import json, sys; print(json.load(sys.stdin)["layers"][0]["digest"].split(":")[1])'
}

# keeps_out WHICH REGISTRY KIND: whoever else wants to build on what was pushed there is refused.
keeps_out() {
	plan app "$2/team/base:$1-$3"
	with nobody 'nobody else may build on that' 2 "$work/project/app.cpk" --output "type=tar,dest=$work/refused.tar"
	is_told "$2"
	without_a_daemon nobody 'nor without a daemon' 2 "$work/project/app.cpk" --output "type=layout,dest=$work/layout"
	is_told "$2"
	exits 'and nothing is written' 1 test -e "$work/layout"
	# Where the plan says what the base sets, it is the build that asks for it first.
	sed 's/^image .*/&\n  env SAID = "by the plan"/' "$work/project/app.cpk" >"$work/project/said.cpk"
	with nobody 'also where nobody had to look it up' 1 "$work/project/said.cpk" --format json --output "type=tar,dest=$work/refused.tar"
	matches 'which is told on the line of the image' '"line": 3' cat "$work/last"
	matches 'with the way out' "\"help\": .*docker login $2" cat "$work/last"
}

# What a user's own Engine goes by, where the machine has none.
mkdir -p "$work/home/.config/docker"
printf '{"registry-mirrors": ["http://%s"]}\n' "$named" >"$work/home/.config/docker/daemon.json"

asks_for_logins() {
	local kind tag registry
	for kind in nobody wrong; do
		for registry in "$named" "$tokens"; do
			with "$kind" "the $1 engine cannot push to $registry with the login of $kind" 2 \
				"$work/project/base.cpk" --tag "$registry/team/base:never" --push
			is_told "$registry"
		done
	done
	with missing 'a helper that is not there ends the build' 2 "$work/project/base.cpk" --tag "$named/team/base:never" --push
	matches 'and is named' 'docker-credential-that-is-missing' cat "$work/last"
	for kind in file helpers store; do
		lets_in "$1" "$named" "$kind"
		for tag in "$kind" "$kind-too"; do
			prints 'the digest is the one in the registry' "$(digest_at "team/base:$1-$tag")" \
				python3 -c 'import json, sys; print(json.load(open(sys.argv[1]))["containerimage.digest"])' "$work/pushed.json"
		done
	done
	for kind in file helpers name; do
		lets_in "$1" "$tokens" "$kind"
	done
	for registry in "$named" "$tokens"; do keeps_out "$1" "$registry" file; done
	plan app "docker.io/team/base:$1-file"
	HOME=$work/home without_a_daemon file 'a mirror that wants a login stands in for docker.io' 0 "$work/project/app.cpk" --output "type=layout,dest=$work/layout"
	exits 'with the layer that was pushed there' 0 test -s "$work/layout/blobs/sha256/$(layer_of "$named/team/base:$1-file" file)"
	with wrong 'another login after that is no better' 2 "$work/project/base.cpk" --tag "$named/team/other:1" --push
	is_told "$named"
}
on_each_engine asks_for_logins
(
	on_next_engine
	cache=type=registry,ref=$named/team/cache:1
	printf 'cached %s\n' "$RANDOM$RANDOM$RANDOM" >"$work/project/base"
	with wrong 'nor is a cache written without a login' 2 "$work/project/base.cpk" --output "type=tar,dest=$work/app.tar" --cache-to "$cache"
	is_told "$named"
	with helpers 'with one it is' 0 "$work/project/base.cpk" --no-cache --output "type=tar,dest=$work/app.tar" --cache-to "$cache"
	matches 'and is in the registry' buildkit.cacheconfig \
		skopeo inspect --raw --tls-verify=false --creds "ada:$password" "docker://$named/team/cache:1"
)

prints 'the helper was asked for no more than logins' get sh -c 'cut -d" " -f1 "$1" | sort -u' sh "$work/asked"
for shown in refresh_token password; do
	matches "tokens were given for a $shown" "^$shown known repository:team/base:pull" cat "$work/granted"
done
pushed_wrongly() { find "$work/data-named" "$work/data-tokens" -path '*/tags/never' -o -path '*/team/other/_manifests/tags/*' | grep .; }
exits 'nothing was pushed with a wrong login' 1 pushed_wrongly
for secret in "$work/password" "$work/tokens/identity"; do
	exits "no $(basename "$secret") is in what was said, or in the store" 1 "$find_bytes" "$secret" "$work/said" "$work/metadata.json" "$work/store"
	for log in "$home"/log/engine-*.log; do exits "nor in $(basename "$log")" 1 "$find_bytes" "$secret" "$log"; done
done
