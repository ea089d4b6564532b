"""The commit-msg hook that git-review fetches: adds a Change-Id footer where there is none."""

HOOK = r"""#!/bin/sh
# Add a Change-Id footer to a commit message that has none, so that the review server
# knows every version of the change by it.

message_file=$1
[ -f "$message_file" ] || { echo "commit-msg: no message file given" >&2; exit 1; }
[ "$(git config --bool --get gerrit.createChangeId)" = false ] && exit 0

subject=$(git stripspace --strip-comments <"$message_file" | head -n 1)
case $subject in
"" | "fixup! "* | "squash! "* | "amend! "*) exit 0 ;;
esac
if git interpret-trailers --parse <"$message_file" | grep -qi '^Change-Id: *I'; then
    exit 0
fi

random=$({
    git var GIT_COMMITTER_IDENT
    git rev-parse --verify --quiet HEAD || :
    cat "$message_file"
    head -c 20 /dev/urandom | od -An -tx1
} | git hash-object --stdin)

git interpret-trailers --in-place --where start --trailer "Change-Id: I$random" "$message_file"
"""
