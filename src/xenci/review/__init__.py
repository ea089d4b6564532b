"""The bastion's side of the review: whether a change may be planned, and what is said on changes.

`approval.check` is asked before anything of a change is fetched; `report.post` tells what was planned or
applied.
"""
