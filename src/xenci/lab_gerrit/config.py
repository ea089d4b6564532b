"""SITE/etc/lab_gerrit.ini: where the server listens and what it calls itself."""

from __future__ import annotations

import configparser
from dataclasses import dataclass, fields
from pathlib import Path
from urllib.parse import urlsplit


@dataclass
class Config:
    """Settings of a site; every one is also an option of `xenci-lab-gerrit daemon`."""

    site: Path
    http_address: str = "127.0.0.1"
    http_port: int = 8443
    ssh_address: str = "127.0.0.1"
    ssh_port: int = 29418
    canonical_url: str = ""
    tls_cert: str = ""
    tls_key: str = ""
    capture: str = ""

    @property
    def path(self) -> Path:
        """Where the settings are kept."""
        return self.site / "etc" / "lab_gerrit.ini"

    @property
    def git_dir(self) -> Path:
        """Directory of the bare repositories."""
        return self.site / "git"

    @property
    def database(self) -> Path:
        """The SQLite file."""
        return self.site / "db" / "lab_gerrit.sqlite"

    @property
    def host_key(self) -> Path:
        """The ssh server's private key."""
        return self.site / "etc" / "ssh_host_ed25519_key"

    @property
    def hook_socket(self) -> Path:
        """Unix socket on which git's proc-receive hook reaches the daemon."""
        return self.site / "tmp" / "hook.sock"

    @property
    def host(self) -> str:
        """Name by which the server is reached."""
        return urlsplit(self.url).hostname or self.http_address

    @property
    def url(self) -> str:
        """Base URL without a slash at the end, as shown in messages and events."""
        scheme = "https" if self.tls_cert else "http"
        return self.canonical_url.rstrip("/") or f"{scheme}://{self.http_address}:{self.http_port}"


def load(site: Path) -> Config:
    """Read the site's file; a missing one means defaults. ValueError names an unknown key."""
    config = Config(site=site.resolve())
    parser = configparser.ConfigParser(interpolation=None)
    parser.read(config.path, encoding="utf-8")
    types = {field.name: field.type for field in fields(Config) if field.name != "site"}
    for key, value in parser["lab_gerrit"].items() if parser.has_section("lab_gerrit") else ():
        if key not in types:
            raise ValueError(f"{config.path}: unknown key {key}; known: {', '.join(types)}")
        setattr(config, key, int(value) if types[key] == "int" else value)
    return config
