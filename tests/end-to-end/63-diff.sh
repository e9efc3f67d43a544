#!/usr/bin/env bash
# `git diff` shows a plan as `cogpackc diff` does, where a repository says so in the two lines of
# docs/diff.md; what is no plan is shown line by line, and git goes on behind it.
# shellcheck source-path=SCRIPTDIR source=support.bash
. "$(dirname "$0")/support.bash"

PATH=$(dirname "${COGPACK_TEST_BINARY:?tests/run builds it and says where it is}"):$PATH
export GIT_CONFIG_GLOBAL=/dev/null GIT_CONFIG_SYSTEM=/dev/null GIT_PAGER=cat
export GIT_AUTHOR_NAME=A GIT_AUTHOR_EMAIL=a@example.org GIT_COMMITTER_NAME=A GIT_COMMITTER_EMAIL=a@example.org
project=$work/project
git init -q -b main "$project"
cd "$project"

# The two lines, as the page has them.
sed -n '/^git config diff.cogpackc/p; /^echo .*diff=cogpackc/p' "$repository/docs/diff.md" >"$work/setup"
exits 'the page says how' 0 grep -c . "$work/setup"
# shellcheck source=/dev/null
. "$work/setup"

cp "$repository/tests/cases/diff/pull-request/old.cpk" model.cpk
printf 'cpk 1\nstage %%a from scratch {\n  file "/a" = "1"\n}\nexport from %%a\n' >other.cpk
cp other.cpk z.cpk
git add -A
git commit -q -m one
cp "$repository/tests/cases/diff/pull-request/new.cpk" model.cpk
printf 'not a plan\n' >other.cpk
sed -i 's/"1"/"2"/' z.cpk
cp z.cpk new.cpk
git add -N new.cpk

exits 'git diff ends well' 0 git diff
git diff >"$work/diff"
exits 'a renamed stage is one' 0 grep -qxF 'stage %packages was %deps (line 14)' "$work/diff"
exits 'what is rebuilt is told' 0 grep -qE '^  rebuilt  %app: copy "/wheels"' "$work/diff"
exits 'what stays is told' 0 grep -qE '^  stays    %app: copy contents "\." from @weights' "$work/diff"
exits 'what is no plan is shown by its lines' 0 grep -qxF -- '+not a plan' "$work/diff"
exits 'a new plan too' 0 grep -qxF -- '+  file "/a" = "2"' "$work/diff"
exits 'and what comes behind them' 0 grep -qxF -- '  + file "/a" = "2"' "$work/diff"
git commit -q -am two
git mv z.cpk renamed.cpk
sed -i 's/"2"/"3"/' renamed.cpk
git commit -q -am three
exits 'a renamed plan is compared' 0 git show --ext-diff -M30 HEAD
git show --ext-diff -M30 HEAD >"$work/diff"
exits 'with what it was' 0 grep -qF -- '+ file "/a" = "3"' "$work/diff"

git checkout -q -b side HEAD~1
sed -i 's/"2"/"4"/' z.cpk
git commit -q -am four
exits 'a merge has conflicts' 1 git merge -q -m merge main
exits 'of which git diff says what it can' 0 git diff
