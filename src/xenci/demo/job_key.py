"""The key with which Zuul's jobs ask the bastion, in infra, where only the lab's Zuul can read it."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from xenci.demo.site import Site, SiteError
from xenci.files import write

FILE = "zuul.d/secrets.yaml"
PROJECT = "infra"


def encrypt(site: Site, target: Path) -> None:
    """Write `target`, by the command of docs/change_through_review.md.

    Each encryption is another text: the last is kept while Zuul has the key that it was made for.

    :raises SiteError: when Zuul can't be asked.
    """
    kept = site.lab.directory / "job_key"
    kept.mkdir(mode=0o700, exist_ok=True)
    public = site.get(f"{site.zuul}api/tenant/{site.tenant_name}/key/{PROJECT}.pub").text
    known, secret = kept / "project.pub", kept / "secrets.yaml"
    if not (secret.exists() and known.exists() and known.read_text(encoding="utf-8") == public):
        _zuul_client(site, secret)
        write(known, public)
    shutil.copyfile(secret, target)


def _zuul_client(site: Site, secret: Path) -> None:
    secret.unlink(missing_ok=True)
    command = [str(Path(sys.executable).with_name("zuul-client")), "--zuul-url", site.zuul, "encrypt"]
    command += ["--tenant", site.tenant_name, "--project", PROJECT, "--secret-name", "bastion-key"]
    command += ["--field-name", "key", "--infile", str(site.lab.keys / "bastion_request")]
    command += ["--outfile", str(secret)]
    environment = os.environ | {"REQUESTS_CA_BUNDLE": site.authority}
    done = subprocess.run(command, capture_output=True, text=True, env=environment, check=False)
    if done.returncode:
        raise SiteError(f"zuul-client encrypt: {(done.stderr or done.stdout).strip()[-300:]}")
