#!/usr/bin/python
"""In place of Zuul's module: notes what a job returns in the file that RETURNED names."""

from __future__ import annotations

import json
import os
from pathlib import Path

from ansible.module_utils.basic import AnsibleModule

DOCUMENTATION = """
module: zuul_return
short_description: Note what a job returns
description: [As Zuul's own module, into a file of the test's.]
options:
  data: {description: What is returned., type: dict, required: true}
author: The xenci authors
"""


def main() -> None:
    """Write it."""
    module = AnsibleModule(argument_spec={"data": {"type": "dict", "required": True}})
    Path(os.environ["RETURNED"]).write_text(json.dumps(module.params["data"]), encoding="utf-8")
    module.exit_json(changed=False)


if __name__ == "__main__":
    main()
