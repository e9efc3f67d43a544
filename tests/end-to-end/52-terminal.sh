#!/usr/bin/env bash
# A build in a real terminal: it repaints no more than the screen, and only its summary is left.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon
on_next_engine

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
in_terminal=$repository/tests/end-to-end/in-terminal
export TERM=xterm
unset NO_COLOR
printf 'secret-%s-%s' "$(head -c 12 /dev/urandom | od -An -tx1 | tr -d ' \n')" "$RANDOM" >"$work/secret"

base=$COGPACK_TEST_REGISTRY/base/debian:bookworm-slim
# A warning, that the base is not pinned, would stand above the summary.
digest=$(skopeo inspect --tls-verify=false --format '{{.Digest}}' "docker://$base")
# plan SECONDS: four phases, of which one has five programs side by side, and output that tries to move the
# cursor, is wider than any terminal, in wide characters, and more than a small screen holds.
plan() {
	local nonce=$RANDOM$RANDOM$RANDOM one
	{
		printf 'cpk 1\n\nimage @debian = "%s"\n  digest %s\nsecret token\n\n' "$base" "$digest"
		printf 'phase base\nphase tools parallel after base\nphase app after tools\nphase last after app\n\n'
		printf 'stage %%base in base from image @debian {\n  run "echo begun %s"\n}\n' "$nonce"
		for one in a b c d e; do
			cat <<-PLAN
				stage %tool-$one in tools {
				  run """
				    sha256sum </run/secrets/token >/made-$one && : $nonce
				    for line in 1 2 3 4 5 6; do echo "output \$line of $one"; sleep 0.1; done
				    printf '\\\\033[2J\\\\033[H\\\\033[5Aupwards\\\\n1%%\\\\r22%%\\\\r333%%\\\\n\\\\tafter\\\\ta tab\\\\n'
				    printf '%0300d\\\\n' 7; printf '日本語%.0s' 1 2 3 4 5 6 7 8 9 10 11 12 13 14 15 16; echo
				    sleep $1
				    """ {
				    mount secret token at /run/secrets/token
				  }
				}
			PLAN
		done
		printf 'stage %%app in app {\n  run "for n in 1 2 3 4 5 6 7 8; do echo line $n; done; sleep 0.1"\n}\n'
		printf 'stage %%last in last {\n  run "echo at last; sleep 0.1"\n}\n\nexport from %%last\n'
	} >"$work/plan.cpk"
}

secret="id=token,src=$work/secret"
for size in 12x30 24x80; do
	plan 0.2
	exits "a build in a terminal of $size" 0 "$in_terminal" "$size" "$work/$size" \
		"$cogpackc" build "$work/plan.cpk" --output "type=tar,dest=$work/image.tar" --secret "$secret"
	exits 'its live view showed running steps' 0 grep -qE '▸ .*%tool-c run' "$work/$size"
	exits 'and what they wrote' 0 grep -q '│ ' "$work/$size"
	exits 'of which nothing is left' 1 grep -E '▸|│|✓|^building|upwards|output [0-9]' "$work/$size.screen"
	matches 'but how it went' '^built in [0-9.]+s: ' cat "$work/$size.screen"
	prints 'which is said once' 1 grep -c '^built in' "$work/$size.screen"
	exits "the secret was not shown" 1 "$repository/tests/end-to-end/find-bytes" "$work/secret" "$work/$size" "$work/plan.cpk"
	rm "$work/image.tar"
done

plan 60
exits 'Ctrl-C, typed into the terminal, ends it' 130 "$in_terminal" 24x80 "$work/interrupted" --interrupt \
	"$cogpackc" build "$work/plan.cpk" --output "type=tar,dest=$work/image.tar" --secret "$secret"
matches 'it is said that nothing runs on' '^cancelled: nothing of the build is left running$' cat "$work/interrupted.screen"
exits 'no rest of the live view is left' 1 grep -E '▸|│|✓|^building' "$work/interrupted.screen"
exits 'nor an image' 1 test -e "$work/image.tar"
