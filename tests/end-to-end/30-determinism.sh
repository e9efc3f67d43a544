#!/usr/bin/env bash
# Every artifact of every example and project, twice: in two directories, with another umask,
# locale and time zone, and with the files of the project made in the opposite order.
# Needs no daemon.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

cogpackc=${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}

# copy_files FROM TO SORT...: the files of a project, made one by one in the order that SORT gives.
copy_files() {
	local from=$1 to=$2 file
	shift 2
	mkdir -p "$to"
	(cd "$from" && find . \( -type f -o -type l \) -print0 | "$@" -z) | while IFS= read -r -d '' file; do
		mkdir -p "$to/$(dirname "$file")"
		cp -P "$from/$file" "$to/$file"
	done
}

# emit PLAN TO SETTING...: every artifact of a plan, made with these in the environment. A
# backend may refuse, and must then refuse both times.
emit() {
	local plan=$1 to=$2 format alone
	shift 2
	local cogpackc=(env "$@" "$cogpackc")
	mkdir -p "$to"
	for format in llb llb.txt dockerfile oci json cpk; do
		# By itself a Dockerfile says the way from it to the plan's directory, which is another in each place.
		alone=()
		[ "$format" != dockerfile ] || alone=(--self-contained)
		(cd "$(dirname "$plan")" && "${cogpackc[@]}" "$(basename "$plan")" -o "$format" "${alone[@]}" -O "$to/$format/") 2>"$to/$format.said" ||
			[ $? = 1 ] || return 1
	done
	(cd "$(dirname "$plan")" && "${cogpackc[@]}" resolve "$(basename "$plan")") >"$to/resolved.cpk" 2>/dev/null
	(cd "$(dirname "$plan")" && "${cogpackc[@]}" graph "$(basename "$plan")" --as svg) >"$to/graph.svg"
}

count=0
while IFS= read -r plan; do
	project=$(dirname "$plan")
	count=$((count + 1))
	copy_files "$project" "$work/one/$count" sort
	(
		umask 077
		copy_files "$project" "$work/the other directory, with a longer name/$count" sort -r
	)
	# What a project's own modes are is part of it; what the umask makes of them is not ours.
	(cd "$project" && find . -type f -printf '%m %p\0') | while IFS= read -r -d '' entry; do
		chmod "${entry%% *}" "$work/one/$count/${entry#* }" "$work/the other directory, with a longer name/$count/${entry#* }"
	done
	(cd "$project" && find . -type d -print0) | while IFS= read -r -d '' folder; do
		chmod 755 "$work/one/$count/$folder" "$work/the other directory, with a longer name/$count/$folder"
	done
	(
		umask 022
		emit "$work/one/$count/$(basename "$plan")" "$work/out-one/$count" LC_ALL=C TZ=UTC
	)
	(
		umask 077
		emit "$work/the other directory, with a longer name/$count/$(basename "$plan")" "$work/out-other/$count" \
			LC_ALL=tr_TR.UTF-8 LANG=tr_TR.UTF-8 TZ=Pacific/Kiritimati COLUMNS=47
	)
	rm -f "$work"/out-*/"$count"/*.said
	exits "$(realpath --relative-to "$repository" "$plan") gives the same bytes" 0 \
		diff -r --no-dereference "$work/out-one/$count" "$work/out-other/$count"
done < <(find "$repository/examples" "$repository/tests/projects" "$repository/tests/cases/backends" -name '*.cpk' | sort)
[ "$count" -ge 20 ] || { echo "not ok - only $count plans were found" && exit 1; }
