#!/usr/bin/env bash
# Contexts that are not on this disk, or not as files: a commit of a git repository, a file of an
# HTTP server and an image of a layout become the same files on both engines, as far as their
# BuildKit knows them: what the older one cannot do is refused by name before anything is built.
# And a directory with links, odd names and an ignore file, as each engine is sent it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"
needs_daemon

mkdir -p "$work/served/git" "$work/served/data" "$work/project"
serve "$work/served"
address=http://127.0.0.1:$port

# A repository whose newest commit is not the one that the plan wants.
in_repository() { git -C "$work/repository" -c user.name=test -c user.email=test@localhost "$@"; }
git init --quiet --initial-branch main "$work/repository"
mkdir -p "$work/repository/models/small" "$work/repository/other"
printf 'wanted\n' >"$work/repository/models/small/weights"
printf '#!/bin/sh\n' >"$work/repository/models/tool"
chmod 755 "$work/repository/models/tool"
ln -s small/weights "$work/repository/models/link"
printf 'beside it\n' >"$work/repository/other/file"
in_repository add .
in_repository commit --quiet --message "wanted $RANDOM$RANDOM"
commit=$(in_repository rev-parse HEAD)
printf 'too new\n' >"$work/repository/models/small/weights"
in_repository commit --quiet --all --message newer
newest=$(in_repository rev-parse HEAD)
git clone --quiet --bare "$work/repository" "$work/served/git/source.git"

printf 'data of this run %s\n' "$RANDOM$RANDOM" >"$work/served/data/v1.bin"
checksum=$(sha256sum "$work/served/data/v1.bin" | cut -d' ' -f1)
base=$COGPACK_TEST_LAYOUTS/debian:bookworm-slim
cp -R "$COGPACK_TEST_LAYOUTS/debian" "$work/project/layout"
digest=$(skopeo inspect --format '{{.Digest}}' "oci:$base")

# plan FILE COMMIT CHECKSUM: what both engines can do.
plan() {
	cat >"$work/project/$1" <<END
cpk 1

context @whole = git "$address/git/source.git" {
  commit $2
}
context @renamed = http "$address/data/v1.bin" {
  checksum sha256:$3
  name "weights.bin"
  mode 0750
}
context @plain = http "$address/data/v1.bin"

stage %app from scratch {
  copy contents "models" from @whole to "/models"
  copy "other" from @whole to "/other"
  copy "weights.bin" from @renamed to "/data/weights.bin"
  copy "v1.bin" from @plain to "/data/v1.bin"
}
export from %app
END
}
plan plan.cpk "$commit" "$checksum"
plan newest.cpk "$newest" "$checksum"
plan wrong-checksum.cpk "$commit" "$(printf 'other data' | sha256sum | cut -d' ' -f1)"
plan wrong-commit.cpk 0123456789012345678901234567890123456789 "$checksum"

cat >"$work/project/subdir.cpk" <<END
cpk 1

context @models = git "$address/git/source.git" {
  subdir "models"
  commit $commit
}
stage %app from scratch {
  copy contents "." from @models to "/models"
}
export from %app
END
cat >"$work/project/layout.cpk" <<END
cpk 1

context @debian = oci "layout" {
  digest $digest
}
stage %app from scratch {
  copy "etc/debian_version" from @debian to "/debian_version"
}
export from %app
END

mkdir -p "$work/wanted/data"
cp -a "$work/repository/models" "$work/repository/other" "$work/wanted"
printf 'wanted\n' >"$work/wanted/models/small/weights"
chmod -R u=rwX,go=rX "$work/wanted"
install -m 0750 "$work/served/data/v1.bin" "$work/wanted/data/weights.bin"
install -m 0644 "$work/served/data/v1.bin" "$work/wanted/data/v1.bin"

files_of "$work/wanted" >"$work/wanted.files"

has_all_contexts() {
	builds "contexts-$1" "$work/project/plan.cpk" --output "type=tar,dest=$work/$1.tar"
	files_of_tar "$1"
	exits "the $1 engine has the files of every context" 0 diff "$work/wanted.files" "$work/$1.files"
	builds "contexts-again-$1" "$work/project/plan.cpk" --output "type=tar,dest=$work/again.tar"
	prints 'a second build runs nothing' '' steps_run "contexts-again-$1"
	builds "contexts-newest-$1" "$work/project/newest.cpk" --output "type=tar,dest=$work/newest.tar"
	prints 'another commit has other files' 'too new' tar -xOf "$work/newest.tar" models/small/weights
}
on_each_engine has_all_contexts

# A build in this process fetches the same, and has the same root filesystem. What is kept is not asked for
# again, and a file without a checksum is.
in_this_process() { "${COGPACK_TEST_BINARY:?}" build "$@" --builder direct --store "$work/store" --progress plain; }
asked() { grep -c "$1" "$work/requests"; }
here=$repository/tests/end-to-end
exits 'a build in this process fetches every context' 0 \
	in_this_process "$work/project/plan.cpk" --output "type=docker,dest=$work/direct.tar"
"$here/files-of" "$work/newer.tar" >"$work/llb.files"
"$here/files-of" "$work/direct.tar" >"$work/direct.files"
exits 'and has the files that LLB gives' 0 diff "$work/llb.files" "$work/direct.files"
asked_git=$(asked /git/source.git) asked_files=$(asked /data/v1.bin)
exits 'a second build' 0 in_this_process "$work/project/plan.cpk" --output "type=docker,dest=$work/direct-again.tar"
exits 'makes the same image' 0 cmp "$work/direct.tar" "$work/direct-again.tar"
prints 'asks no repository again' "$asked_git" asked /git/source.git
prints 'and for the file without a checksum alone' "$((asked_files + 1))" asked /data/v1.bin
exits 'the store is whole' 0 "$COGPACK_TEST_BINARY" store verify --store "$work/store"
# Nothing of the settings of whoever builds changes what is checked out, and no hook of theirs runs.
mkdir "$work/home" "$work/home/hooks"
printf '#!/bin/sh\ntouch "%s"\n' "$work/hook-ran" | tee "$work/home/hooks/post-checkout" >"$work/home/hooks/post-index-change"
chmod +x "$work/home/hooks/"*
printf '* filter=shout text eol=crlf\n' >"$work/home/attributes"
cat >"$work/home/.gitconfig" <<END
[core]
	autocrlf = true
	attributesFile = $work/home/attributes
	hooksPath = $work/home/hooks
[filter "shout"]
	smudge = tr a-z A-Z
[url "$address/git/"]
	insteadOf = https://git.example/
END
sed "s|$address/git/|https://git.example/|" "$work/project/plan.cpk" >"$work/project/elsewhere.cpk"
exits 'addresses that stand for others do so' 0 env HOME="$work/home" "$COGPACK_TEST_BINARY" build "$work/project/elsewhere.cpk" \
	--builder direct --store "$work/store" --progress plain --output "type=docker,dest=$work/settings.tar"
"$here/files-of" "$work/settings.tar" >"$work/settings.files"
exits 'and the files are those of everybody' 0 diff "$work/llb.files" "$work/settings.files"
exits 'no hook has run' 1 test -e "$work/hook-ran"
refuses 'a repository without git' cpk::git::program env PATH=/nowhere "$COGPACK_TEST_BINARY" build "$work/project/newest.cpk" \
	--builder direct --store "$work/other-store" --output "type=docker,dest=$work/refused.tar"
refuses 'a commit that is not there' cpk::git::commit \
	in_this_process "$work/project/wrong-commit.cpk" --output "type=docker,dest=$work/refused.tar"
refuses 'a wrong checksum' cpk::packages::digest \
	in_this_process "$work/project/wrong-checksum.cpk" --output "type=docker,dest=$work/refused.tar"
sed "s|/data/v1.bin|/data/v2.bin|" "$work/project/plan.cpk" >"$work/project/gone.cpk"
refuses 'a file that is not there' cpk::packages::download \
	in_this_process "$work/project/gone.cpk" --output "type=docker,dest=$work/refused.tar"
exits 'and nothing is written' 1 test -e "$work/refused.tar"

# is_refused WHAT PLAN PATTERN CONTEXT
is_refused() {
	exits "$1 ends the build" 1 \
		"${COGPACK_TEST_BINARY:?}" build "$work/project/$2" --output "type=tar,dest=$work/refused.tar" --progress plain
	cp "$work/output" "$work/refusal"
	matches 'and is named' "$3" cat "$work/refusal"
	matches 'with its context' "$4" cat "$work/refusal"
	exits 'and nothing is written' 1 test -e "$work/refused.tar"
}
refuses_what_differs() {
	is_refused "a wrong checksum on the $1 engine" wrong-checksum.cpk "digest mismatch sha256:$checksum" 'context @renamed'
	is_refused "a commit that is not there on the $1 engine" wrong-commit.cpk '0123456789012345678901234567890123456789' 'context @whole'
}
on_each_engine refuses_what_differs

is_refused 'a directory of a repository on the older engine' subdir.cpk '`source.git.subdir`' '@models'
is_refused 'an image of a layout on the older engine' layout.cpk '`source.ocilayout`' '@debian'
(
	on_next_engine
	builds subdir "$work/project/subdir.cpk" --output "type=tar,dest=$work/subdir.tar"
	files_of_tar subdir
	files_of "$work/subdir/models" >"$work/subdir.files"
	files_of "$work/wanted/models" >"$work/models.files"
	exits 'a directory of a repository becomes the root of a context' 0 diff "$work/models.files" "$work/subdir.files"
	exits 'and in this process' 0 in_this_process "$work/project/subdir.cpk" --output "type=docker,dest=$work/direct-subdir.tar"
	"$here/files-of" "$work/subdir.tar" >"$work/llb-subdir.files"
	"$here/files-of" "$work/direct-subdir.tar" >"$work/direct-subdir.files"
	exits 'has the same files' 0 diff "$work/llb-subdir.files" "$work/direct-subdir.files"
	builds layout "$work/project/layout.cpk" --output "type=tar,dest=$work/layout.tar"
	prints 'a layout has the files of its image' "$("$repository/tests/rig/run-oci" "$base" -- cat /etc/debian_version)" \
		tar -xOf "$work/layout.tar" debian_version
	# A definition names images of layouts by digest alone, so a tag is looked up here.
	sed '/digest sha256/d' "$work/project/layout.cpk" >"$work/project/tag.cpk"
	builds tag "$work/project/tag.cpk" --output "type=tar,dest=$work/tag.tar"
	exits 'and by its tag it is the same' 0 cmp "$work/layout.tar" "$work/tag.tar"
)

# A directory with all that can be in one, and with what its ignore file keeps out of it.
directory=$work/directory
mkdir -p "$directory/src/empty" "$directory/src/deep/er" "$directory/build/keep" "$directory/Straße"
printf 'one\n' >"$directory/src/one"
ln "$directory/src/one" "$directory/src/deep/the same one"
ln -s '../src/one' "$directory/Straße/link"
ln -s /nowhere "$directory/src/broken"
printf 'x\n' | tee "$directory/src/a[1]*?" "$directory/src/a1" "$directory/src/-dash" "$directory/src/.hidden" "$directory/src/ü b,c=d" \
	"$directory/src/cache.pyc" "$directory/src/deep/er/cache.pyc" "$directory/build/out" "$directory/build/keep/this" >/dev/null
chmod 4755 "$directory/src/a1"
printf '# made by hand\n**/*.pyc\nbuild\n!build/keep\n' >"$directory/.dockerignore"
cat >"$work/directory.cpk" <<'END'
cpk 1

context @all = dir "directory"

stage %app from scratch {
  copy contents "." from @all to "/all"
}

export from %app
END
mkdir "$work/sent" "$work/sent/all"
cp -a "$directory/." "$work/sent/all"
find "$work/sent" -name '*.pyc' -delete
rm "$work/sent/all/build/out"
find "$work/sent" -mindepth 1 -type d -exec chmod 755 {} +
chown -Rh 0:0 "$work/sent"
# A change of owner takes this away.
chmod 4755 "$work/sent/all/src/a1"
files_of "$work/sent" >"$work/sent.files"
sends_a_directory() {
	builds "directory-$1" "$work/directory.cpk" --output "type=tar,dest=$work/directory-$1.tar"
	files_of_tar "directory-$1"
	exits "the $1 engine has the directory but for what is ignored" 0 diff "$work/sent.files" "$work/directory-$1.files"
	exits 'two names of one file are one file' 0 \
		test "$work/directory-$1/all/src/one" -ef "$work/directory-$1/all/src/deep/the same one"
	printf 'two\n' >"$directory/build/out"
	builds "directory-again-$1" "$work/directory.cpk" --output "type=tar,dest=$work/again.tar"
	prints 'what is ignored may change' '' steps_run "directory-again-$1"
}
on_each_engine sends_a_directory
