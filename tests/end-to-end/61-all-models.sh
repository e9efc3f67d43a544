#!/usr/bin/env bash
# A model of each kind, by an engine and without one: each answers a real prediction, both ways make the
# same files where no program runs, and what is edited is all that is made anew.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}
export COGPACK_STORE=$work/store
tools=$repository/tests/end-to-end
cp -r "$repository/tests/models" "$work/models"
cd "$work/models"

installs_uv

writes_catalogue "$work/catalogue.toml"
export COGPACK_CATALOGUE=$work/catalogue.toml

# What is on no index: a wheel of the project, and something small that is called as a framework is.
mkdir hashed/wheels "$work/wheels"
spelling=$("$tools/make-wheel" hashed/wheels spelling 1.0)
torch=$("$tools/make-wheel" "$work/wheels" torch 2.6.0)
export PIP_FIND_LINKS="${PIP_FIND_LINKS:-} $work/models/hashed/wheels $work/wheels"

printf 'good day\n' >"$work/letter.txt"
secret="licence of $$"
printf '%s' "$secret" >"$work/licence"
# A secret is no part of what a step is known by, and an engine may have it from an earlier run.
sed -i "s|licence.sum\$|licence.sum \&\& true $$|" sealed/cog.yaml
exits 'uv locks its project' 0 uv lock --quiet --project locked
for model in greet mean parts double upper stream sealed reckon hashed colours places; do
	"$cogpackc" lock "$model" >"$work/locking" 2>&1 || exits "the model $model is locked" 0 cat "$work/locking"
done

# gives OUTPUT MODEL WORD...: what a model answers to these inputs, asked as `way` says.
gives() {
	local wanted=$1 model=$2
	shift 2
	prints "$where: the model $model answers" "$wanted" "$cogpackc" predict "$model" --progress quiet "${way[@]}" "$@"
}

answers() {
	gives 'good evening, Ada' greet -i name=Ada
	gives 3.0 mean --json '{"numbers": [1, 2, 6]}'
	gives '2 more' parts -i text='one more word'
	gives 42 double -i number=21
	gives 'data:text/plain;base64,R09PRCBEQVkKR09PRCBEQVkK' upper -i document=@"$given/letter.txt" -i copies=2
	gives gogogo stream -i word=go
	gives licensed sealed -i licence="$secret" --secret id=licence,src="$given/licence"
	gives 42 reckon -i sum='6 * 7'
	gives '<p><em>so</em></p>' locked -i text='*so*'
	gives A-B-C hashed -i word=abc
	gives '  "colour": "green",' colours -i colour=green -i pots=3
	gives '$HOME and a \ stroke' places -i number=2
}
given=$work
# by WHERE OPTION...: all of it, with files of its own, so that it may run beside another.
by() {
	where=$1 work=$work/by-$1 way=("${@:2}")
	mkdir "$work"
	answers
}
by engine --network "$COGPACK_TEST_NETWORK" &
running=($!)
if [ "$(id -u)" = 0 ] && command -v crun >/dev/null; then
	by direct --builder direct &
	running+=($!)
fi
for process in "${running[@]}"; do
	wait "$process"
done
builds sealed sealed --secret "id=licence,src=$work/licence" --output "type=tar,dest=$work/sealed.tar"
exits 'the secret is in no file of its image' 1 grep -qF "$secret" "$work/sealed.tar"

# Where apt installs from is what the project says, and nothing else.
cp -r reckon "$work/pinned"
echo 'apt-sources = "then.list"' >"$work/pinned/cogpack.toml"
docker run --rm --network none "$COGPACK_TEST_REGISTRY/base/python:3.11-slim" sh -c 'cat /etc/apt/sources.list.d/*.list' \
	>"$work/pinned/then.list"
builds pinned "$work/pinned" --output "type=tar,dest=$work/pinned.tar"
exits 'apt installs from where the project says' 0 sh -c 'tar -tf "$1" | grep -x "\(./\)\?usr/bin/bc"' sh "$work/pinned.tar"
exits 'and leaves nothing of that' 1 sh -c 'tar -tf "$1" | grep -e var/lib/apt/lists/. -e mnt/apt' sh "$work/pinned.tar"
echo 'deb http://127.0.0.1:9/debian bookworm main' >"$work/pinned/then.list"
exits 'and from nowhere else' 1 "$cogpackc" build "$work/pinned" --output "type=tar,dest=$work/pinned.tar" --progress quiet

# An archive as it was at some time, which is what snapshots of archives are: it has long been out of date,
# and apt takes it where the file of the project says that it may. The key that has signed it stands there
# too. Programs of a build without a daemon reach servers of this machine.
if [ "$(id -u)" = 0 ] && command -v crun gpg dpkg-deb dpkg-scanpackages >"$work/output"; then
	archive=$work/archive/then
	architecture=$(dpkg --print-architecture)
	index=main/binary-$architecture/Packages
	mkdir -p "$archive/pool" "$archive/dists/then/${index%/*}"
	for package in bc tini; do
		mkdir -p "$work/$package/DEBIAN" "$work/$package/usr/bin"
		printf 'Package: %s\nVersion: 1.0+then\nArchitecture: all\nMaintainer: nobody\nDescription: as it was\n' "$package" \
			>"$work/$package/DEBIAN/control"
		printf '#!/bin/sh\necho "%s of then"\n' "$package" >"$work/$package/usr/bin/$package"
		chmod 755 "$work/$package/usr/bin/$package"
		exits "the package $package is made" 0 dpkg-deb --build --root-owner-group "$work/$package" "$archive/pool/$package.deb"
	done
	(cd "$archive" && dpkg-scanpackages pool >"dists/then/$index" 2>"$work/errors")
	printf 'Origin: nobody\nSuite: then\nCodename: then\nDate: %s\nValid-Until: %s\nArchitectures: %s\nComponents: main\nSHA256:\n %s %s %s\n' \
		'Sat, 01 Jan 2022 00:00:00 UTC' 'Sat, 08 Jan 2022 00:00:00 UTC' "$architecture" \
		"$(sha256sum "$archive/dists/then/$index" | cut -d ' ' -f 1)" "$(stat -c %s "$archive/dists/then/$index")" "$index" \
		>"$work/Release"
	# A path of gpg's own agent may have no more than 107 bytes, so its home is a short one.
	export GNUPGHOME=$work/keys
	mkdir -m 700 "$GNUPGHOME"
	exits 'a key is made' 0 gpg --batch --quiet --passphrase '' --quick-generate-key archive@localhost ed25519 sign never
	exits 'the archive is signed' 0 gpg --batch --clearsign --output "$archive/dists/then/InRelease" "$work/Release"
	serve "$work/archive"
	{
		printf 'Types: deb\nURIs: http://127.0.0.1:%s/then\nSuites: then\nComponents: main\nSigned-By:\n' "$port"
		gpg --armor --export archive@localhost | sed 's/^$/./; s/^/ /'
	} >"$work/pinned/then.sources"
	gpgconf --kill all
	echo 'apt-sources = "then.sources"' >"$work/pinned/cogpack.toml"
	pinned() {
		"$cogpackc" build "$work/pinned" --builder direct --output "type=docker,dest=$work/pinned.tar" --progress plain
	}
	exits 'an archive that is out of date is refused' 1 pinned
	mv "$work/output" "$work/refused"
	matches 'as that' 'is expired' cat "$work/refused"
	echo 'Check-Valid-Until: no' >>"$work/pinned/then.sources"
	exits 'unless the project says that it may be' 0 pinned
	exits 'the image has these files' 0 "$tools/files-of" "$work/pinned.tar"
	mv "$work/output" "$work/pinned.files"
	exits 'with the program of then' 0 grep -F "$(sha256sum <"$work/bc/usr/bin/bc" | cut -d ' ' -f 1)" "$work/pinned.files"
	exits 'and nothing of the archive' 1 grep -e var/lib/apt/lists/. -e mnt/apt "$work/pinned.files"
fi

# Every model that runs no program: both sides make the same files of it. They work side by side.
mkdir "$work/of-engine" "$work/of-direct"
plain=()
for model in *; do
	exits "the model $model has a plan" 0 "$cogpackc" plan "$model"
	grep -qE '^ +(run|exec) ' "$work/output" || plain+=("$model")
done
prints 'ten models run no program while they are built' 10 echo "${#plain[@]}"
# files SIDE OPTION...: those of each of them.
files() {
	local side=$1 work=$work/of-$1 model
	for model in "${plain[@]}"; do
		builds "$model-$side" "$model" "${@:2}" --output "type=$kind,dest=$work/image.tar"
		"$tools/files-of" "$work/image.tar" >"$work/$model.files"
	done
}
kind=tar files engine &
kind=docker files direct --builder direct
wait $!
for model in "${plain[@]}"; do
	exits "an engine and this process make the same files of $model" 0 diff "$work/of-engine/$model.files" "$work/of-direct/$model.files"
	exits 'which are there' 0 grep -q "^src/cog.yaml\|^src/pyproject.toml" "$work/of-direct/$model.files"
done

# with_framework MODEL: its lock, as another tool would write it, with the framework.
with_framework() {
	cp -r "$repository/tests/models/$1" "$work/framework/$1"
	{
		sed '/^\[tool.cogpack\]/,$d' "$1/pylock.cog.toml"
		printf '[[packages]]\nname = "torch"\nversion = "2.6.0"\n'
		printf 'wheels = [{ name = "torch-2.6.0-py3-none-any.whl", hashes = { sha256 = "%s" } }]\n' "$torch"
	} >"$work/framework/$1/pylock.toml"
}

# layers NAME MODEL: the digests of its layers. An engine calls them by what is in them.
layers() {
	local image=cogpack-test/layers:$$
	if [ "$where" = direct ]; then
		builds "$1" "$work/framework/$2" --builder direct --output "type=oci,dest=$work/image.tar"
		"$tools/layers-of" "$work/image.tar" >"$work/$1.layers"
		"$tools/layers-of" "$work/image.tar" venv/lib/python3.11/site-packages/torch.py >"$work/$1.framework"
	else
		builds "$1" "$work/framework/$2" --tag "$image"
		docker image inspect --format '{{range .RootFS.Layers}}{{println .}}{{end}}' "$image" | grep . >"$work/$1.layers"
		docker image rm --force "$image" >/dev/null
	fi
}

# others NAME OTHER: how many layers the second has that the first has not.
others() { grep -c -v -x -F -f "$work/$1.layers" "$work/$2.layers" || true; }

mkdir "$work/framework"
for where in engine direct; do
	rm -rf "$work/framework/"*
	with_framework double
	with_framework upper
	layers "$where-before" double
	echo "# edited for the $where, $$" >>"$work/framework/double/double.py"
	layers "$where-edited" double
	prints "$where: an edit of a file makes one layer anew" 1 others "$where-before" "$where-edited"
	{
		printf '\n[[packages]]\nname = "spelling"\nversion = "1.0"\n'
		printf 'wheels = [{ name = "spelling-1.0-py3-none-any.whl", hashes = { sha256 = "%s" } }]\n' "$spelling"
	} >>"$work/framework/double/pylock.toml"
	layers "$where-more" double
	# The packages and the project's files, of which the lock is one. What an engine has between, the
	# document, it makes anew with what is below it.
	case $where in
	engine) anew=3 ;;
	direct) anew=2 ;;
	esac
	prints "$where: one more requirement makes those of packages and files anew" "$anew" others "$where-edited" "$where-more"
	# The base, the environment, the framework.
	exits "$where: and no layer below it" 0 diff <(head -n 4 "$work/$where-edited.layers") <(head -n 4 "$work/$where-more.layers")
	layers "$where-other" upper
	prints "$where: another model has other files and another document, and shares all else" 2 others "$where-before" "$where-other"
done
prints 'the framework is in one layer' 1 grep -c sha256: "$work/direct-before.framework"
exits 'which is the same with one more requirement' 0 diff "$work/direct-before.framework" "$work/direct-more.framework"
exits 'and in another model' 0 diff "$work/direct-before.framework" "$work/direct-other.framework"
