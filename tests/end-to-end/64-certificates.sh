#!/usr/bin/env bash
# Models that trust an authority of their own: on Debian packages, where nothing is run, and on an image.
# Each asks a server on this machine whose certificate is by that authority, and one that trusts it not
# is refused.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon
needs_root_and_a_runtime

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
installs_uv

# An authority, and a server that it has signed.
openssl req -x509 -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -days 2 -subj '/O=Of a test/CN=An authority' \
	-addext keyUsage=critical,keyCertSign -keyout "$work/authority.key" -out "$work/authority.pem" 2>/dev/null
openssl req -newkey ec -pkeyopt ec_paramgen_curve:prime256v1 -nodes -subj /CN=server -keyout "$work/server.key" 2>/dev/null |
	openssl x509 -req -CA "$work/authority.pem" -CAkey "$work/authority.key" -CAcreateserial -days 2 \
		-extfile <(echo 'subjectAltName=IP:127.0.0.1') -out "$work/server.pem" 2>/dev/null
python3 - "$work/server.pem" "$work/server.key" >"$work/port" 2>"$work/requests" <<'END' &
import http.server, ssl, sys

class Hello(http.server.BaseHTTPRequestHandler):
    def do_GET(self):
        self.send_response(200)
        self.end_headers()
        self.wfile.write(b"hello")

server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Hello)
context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
context.load_cert_chain(sys.argv[1], sys.argv[2])
server.socket = context.wrap_socket(server.socket, server_side=True)
print(server.server_port, flush=True)
server.serve_forever()
END
server=$!
trap 'kill "$server"; rm -rf --one-file-system "$work"' EXIT
for _ in $(seq 300); do [ ! -s "$work/port" ] || break; sleep 0.1; done
url=https://127.0.0.1:$(cat "$work/port")/

# What it answers by OpenSSL's own list, by that of requests, and whether public ones are trusted still.
mkdir -p "$work/model/certs" "$work/stranger"
cp "$work/authority.pem" "$work/model/certs/Our CA.pem"
cat >"$work/model/predict.py" <<'END'
import ssl
import urllib.request

import requests


class Predictor:
    def run(self, url: str) -> str:
        plain = urllib.request.urlopen(url).read().decode()
        public = len(ssl.create_default_context().get_ca_certs()) > 50
        return f"{plain} {requests.get(url).text} {public}"
END
cat >"$work/model/cog.yaml" <<'END'
build:
  python_version: "3.11"
  python_packages: ["requests==2.32.5"]
run: "predict.py:Predictor"
END
cp "$work/model"/{predict.py,cog.yaml} "$work/stranger"
echo 'ca-certificates = ["certs/Our CA.pem"]' >"$work/model/cogpack.toml"
on_packages() {
	"$cogpackc" build "$work/$1" --base debian --builder direct --output "type=layout,dest=$work/$1.layout" --progress quiet
}
asks() {
	"$cogpackc" predict "$1" -i "url=$url" --store "$work/store" --progress quiet
}
exits 'a model on packages is built' 0 on_packages model
mkdir "$work/careless"
cp -r "$work/model/." "$work/careless"
cat "$work/authority.key" >>"$work/careless/certs/Our CA.pem"
refuses 'a key is refused' project::python::private-key "$cogpackc" plan "$work/careless" --base debian
exits 'and not shown' 1 grep -F "$(sed -n 2p "$work/authority.key")" "$work/refused"
prints 'nothing of it is run' cpk sh -c '"$1" plan "$2" --base debian --no-network | head -c 3' sh "$cogpackc" "$work/model"
exits 'no program' 1 sh -c '"$1" plan "$2" --base debian | grep -E "^ *(run|exec) "' sh "$cogpackc" "$work/model"
prints 'it knows the server, and public ones' 'hello hello True' asks "$work/model.layout"
exits 'one that does not trust the authority is built' 0 on_packages stranger
exits 'and refuses the server' 1 asks "$work/stranger.layout"
mv "$work/output" "$work/refused"
matches 'since nobody vouches for it' CERTIFICATE_VERIFY_FAILED cat "$work/refused"

# The base of an image has its own program for that.
writes_catalogue "$work/catalogue.toml"
on_image() {
	"$cogpackc" predict "$work/model" --catalogue "$work/catalogue.toml" --base "$COGPACK_TEST_REGISTRY/base/python:3.11-slim" \
		-i "url=$url" --progress quiet "$@"
}
prints 'a model on an image that the engine makes knows the server' 'hello hello True' on_image --network host
prints 'and on one that is made without it' 'hello hello True' on_image --builder direct
