"""The folder of a build below the root of the logs."""

from __future__ import annotations

import re

# Names that Zuul's pipelines and jobs have in practice, and that are one harmless part of a path and a URL.
NAME = r"[A-Za-z0-9][A-Za-z0-9._+-]{0,127}"

# change[-2:]/change/patchset/pipeline/job/build[:7], Zuul's convention; its sibling for builds of a branch,
# tag or time: commit[:2]/commit/pipeline/job/build[:7], with the build's uuid where there is no commit.
CHANGE = re.compile(rf"([0-9]{{1,2}})/([1-9][0-9]{{0,9}})/[1-9][0-9]{{0,4}}/{NAME}/{NAME}/[0-9a-f]{{7}}")
COMMIT = re.compile(rf"([0-9a-f]{{2}})/([0-9a-f]{{32,40}})/{NAME}/{NAME}/[0-9a-f]{{7}}")


def is_build(path: str) -> bool:
    """Tell whether a path relative to the root is the folder of a build."""
    change = CHANGE.fullmatch(path)
    if change:
        return change[2][-2:] == change[1]
    commit = COMMIT.fullmatch(path)
    return bool(commit and commit[2][:2] == commit[1])
