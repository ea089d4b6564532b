"""Lab Gerrit: the review server of demo and tests where no Gerrit war is given. Never for production.

Real protocols (ssh, HTTPS, git), real git underneath, SQLite for everything else. How Gerrit answers is
taken from recorded exchanges; `docs/lab_gerrit.md` says how the two are held together.
"""
