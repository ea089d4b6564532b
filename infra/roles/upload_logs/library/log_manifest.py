#!/usr/bin/python
"""Ansible module of the base job: list a build's logs in the form that Zuul's dashboard reads."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import Any

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: log_manifest
short_description: List a build's logs for Zuul's dashboard
description:
  - Writes the JSON that an artifact of type C(zuul_manifest) points to. Links and special files are left out.
options:
  root: {description: Folder with the logs., type: path, required: true}
  output: {description: File to write., type: path, required: true}
author: The xenci authors
"""

TEXT = {".txt", ".log", ".json", ".yml", ".yaml", ".conf", ".cfg", ".xml", ".ini", ""}


def entry(path: Path) -> dict[str, Any]:
    """Return one node of the tree: times in seconds since 1970, sizes in bytes as stored."""
    status = path.stat()
    node: dict[str, Any] = {"name": path.name, "encoding": None, "last_modified": int(status.st_mtime)}
    if path.is_dir():
        return {**node, "mimetype": "application/directory", "size": 0, "children": children(path)}
    name = path.with_suffix("") if path.suffix == ".gz" else path
    if path.suffix == ".gz":
        node["encoding"] = "gzip"
    mimetype = "text/plain" if name.suffix in TEXT else "application/octet-stream"
    return {**node, "mimetype": mimetype, "size": status.st_size}


def children(folder: Path) -> list[dict[str, Any]]:
    """Return the entries of a folder by name, folders first."""
    paths = [path for path in folder.iterdir() if not path.is_symlink() and (path.is_dir() or path.is_file())]
    return [entry(path) for path in sorted(paths, key=lambda path: (not path.is_dir(), path.name))]


def main() -> None:
    """Write the manifest."""
    module = AnsibleModule(
        argument_spec={
            "root": {"type": "path", "required": True},
            "output": {"type": "path", "required": True},
        },
    )
    root = Path(module.params["root"])
    if not root.is_dir():
        module.fail_json(msg=f"there is no folder {root}")
    manifest = {"tree": children(root), "index_links": False}
    with open(module.params["output"], "w", encoding="utf-8") as output:
        json.dump(manifest, output)
    os.chmod(module.params["output"], 0o644)
    module.exit_json(changed=True)


if __name__ == "__main__":
    main()
