#!/usr/bin/env bash
# Engines and BuildKit daemons that speak TLS and know their clients by a certificate.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
rig=$repository/tests/rig/rig
mkdir "$work/project" "$work/certificates" "$work/stranger"
printf 'hello\n' >"$work/project/hello"
cat >"$work/project/plan.cpk" <<'END'
cpk 1

context @source = dir "." {
  include "hello"
}

stage %app from scratch {
  copy "hello" from @source to "/hello"
}

export from %app
END

# authority DIRECTORY NAME
authority() {
	openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj "/CN=$2" \
		-addext keyUsage=critical,keyCertSign -keyout "$1/ca-key.pem" -out "$1/ca.pem" 2>/dev/null
}
# signed DIRECTORY NAME EXTENSIONS
signed() {
	openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj "/CN=$2" -keyout "$1/$2-key.pem" 2>/dev/null |
		openssl x509 -req -CA "$1/ca.pem" -CAkey "$1/ca-key.pem" -CAcreateserial -days 2 -extfile <(printf '%s\n' "$3") \
			-out "$1/$2.pem" 2>/dev/null
}
authority "$work/certificates" 'an authority'
signed "$work/certificates" server 'subjectAltName=IP:127.0.0.1,DNS:localhost'
signed "$work/certificates" client 'extendedKeyUsage=clientAuth'
# The names that a docker client looks for.
mkdir "$work/client"
cp "$work/certificates/ca.pem" "$work/client/ca.pem"
cp "$work/certificates/client.pem" "$work/client/cert.pem"
cp "$work/certificates/client-key.pem" "$work/client/key.pem"
# A stranger trusts the daemon, but is signed by somebody else.
authority "$work/stranger" 'somebody else'
signed "$work/stranger" client 'extendedKeyUsage=clientAuth'
mkdir "$work/unknown"
cp "$work/certificates/ca.pem" "$work/unknown/ca.pem"
cp "$work/stranger/client.pem" "$work/unknown/cert.pem"
cp "$work/stranger/client-key.pem" "$work/unknown/key.pem"

# Of two sides, the one that does not trust the other must refuse.
mkdir "$work/distrusting"
cp "$work/stranger/ca.pem" "$work/client/cert.pem" "$work/client/key.pem" "$work/distrusting"

free_port() { python3 -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])'; }
port=$(free_port)
trap '"$rig" spare-down; [ -z "${proxy:-}" ] || kill "$proxy"; rm -rf --one-file-system "$work"' EXIT
engine_socket=$("$rig" spare-up --host "tcp://127.0.0.1:$port" --tlsverify --tlscacert "$work/certificates/ca.pem" \
	--tlscert "$work/certificates/server.pem" --tlskey "$work/certificates/server-key.pem")

as() { # DIRECTORY-OF-CERTIFICATES COMMAND...
	local certificates=$1
	shift
	env DOCKER_TLS_VERIFY=1 DOCKER_CERT_PATH="$certificates" "$@"
}
built() { # NAME
	prints 'the build has its file' hello tar -xOf "$work/$1.tar" hello
}
export DOCKER_HOST=tcp://127.0.0.1:$port
exits 'an engine that wants a certificate takes ours' 0 \
	as "$work/client" "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/engine.tar"
built engine
exits 'it refuses a stranger' 2 \
	as "$work/unknown" "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/none.tar"
exits 'we refuse an engine whose authority we do not know' 2 \
	as "$work/distrusting" "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/none.tar"

# The same engine by contexts that the docker command itself writes.
export DOCKER_CONFIG=$work/docker-config
mkdir "$DOCKER_CONFIG"
here() { env --unset=DOCKER_HOST "$@"; }
for who in client unknown; do
	exits "the docker command writes the context $who" 0 here docker context create "$who" --docker \
		"host=$DOCKER_HOST,ca=$work/$who/ca.pem,cert=$work/$who/cert.pem,key=$work/$who/key.pem"
done
exits 'DOCKER_CONTEXT names a context' 0 \
	here DOCKER_CONTEXT=client "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/variable.tar"
built variable
exits 'the docker command chooses one' 0 here docker context use client
exits 'the context that was chosen is taken' 0 \
	here "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/chosen.tar"
built chosen
exits 'the certificates are those of the context' 2 \
	here DOCKER_CONTEXT=unknown "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/none.tar"
exits 'DOCKER_HOST goes before both' 0 env DOCKER_HOST="unix://$engine_socket" DOCKER_CONTEXT=unknown \
	"$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/host.tar"
built host
exits 'a context that is not there is an error' 2 \
	here DOCKER_CONTEXT=elsewhere "$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/none.tar"

port=$(free_port)
python3 "$repository/tests/rig/lib/plain_buildkit.py" "127.0.0.1:$port" "$engine_socket" \
	--tls "$work/certificates/ca.pem" "$work/certificates/server.pem" "$work/certificates/server-key.pem" &
proxy=$!
for _ in {1..100}; do
	if (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null; then break; fi
	sleep 0.1
done
unset DOCKER_HOST
export BUILDKIT_HOST=tcp://127.0.0.1:$port
tls() { printf 'ca=%s/ca.pem,cert=%s/cert.pem,key=%s/key.pem' "$1" "$1" "$1"; }
exits 'a BuildKit daemon that wants a certificate takes ours' 0 \
	"$cogpackc" build "$work/project/plan.cpk" --buildkit-tls "$(tls "$work/client")" --output "type=tar,dest=$work/buildkit.tar"
built buildkit
exits 'it refuses a stranger too' 2 \
	"$cogpackc" build "$work/project/plan.cpk" --buildkit-tls "$(tls "$work/unknown")" --output "type=tar,dest=$work/none.tar"
exits 'and whoever does not speak TLS' 2 \
	"$cogpackc" build "$work/project/plan.cpk" --output "type=tar,dest=$work/none.tar"
exits 'nothing was written for a stranger' 1 test -e "$work/none.tar"
