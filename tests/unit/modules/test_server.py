"""What the modules of every service check of a server's options, and say in the same words."""

from __future__ import annotations

import importlib
from typing import Any

import pytest

UTILS = "ansible_collections.xenci.stack.plugins.module_utils"
SERVICES = [("gerrit", "Gerrit", {"username": "admin", "password": "secret"}), ("zuul", "Zuul", {})]


@pytest.mark.parametrize(("package", "name", "login"), SERVICES, ids=lambda each: str(each))
@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"url": "review.example.org"}, "url must start with https:// or http:// and name a host"),
        ({"url": "https:///path"}, "name a host"),
        ({"url": "ftp://review.example.org"}, "url must start with https://"),
        ({"url": "https://[::1"}, "name a host"),
        ({"url": "https://review.example.org:https"}, "name a host"),
        ({"url": "https://review.example.org/?page=1"}, "url must end with the path of the page"),
        ({"url": "https://review.example.org", "timeout": 0}, "timeout must be 1 second or more, not 0"),
    ],
)
def test_wrong_options(
    package: str, name: str, login: dict[str, str], options: dict[str, Any], words: str
) -> None:
    client = importlib.import_module(f"{UTILS}.{package}.client")
    with pytest.raises(getattr(client, f"{name}Error"), match=words.replace("?", r"\?")):
        getattr(client, name)(**login, **options)


@pytest.mark.parametrize(("package", "name", "login"), SERVICES, ids=lambda each: str(each))
def test_a_login_in_the_url_is_refused_and_not_shown(package: str, name: str, login: dict[str, str]) -> None:
    client = importlib.import_module(f"{UTILS}.{package}.client")
    for url in ("https://me:s3cret@review.example.org", "https://me:s3cret@"):
        with pytest.raises(getattr(client, f"{name}Error"), match="without a login") as caught:
            getattr(client, name)(url=url, **login)
        assert "s3cret" not in str(caught.value)


@pytest.mark.parametrize(("package", "name", "login"), SERVICES, ids=lambda each: str(each))
@pytest.mark.parametrize(
    "url", ["http://192.0.2.1:8080/zuul/", "https://[2001:db8::1]/", "https://review.test"]
)
def test_right_ones(package: str, name: str, login: dict[str, str], url: str) -> None:
    client = importlib.import_module(f"{UTILS}.{package}.client")
    made = getattr(client, name)(url=url, ca_path="/ca.crt", use_proxy=False, **login)
    assert made.url == url.rstrip("/")
    assert made.options == {"validate_certs": True, "ca_path": "/ca.crt", "timeout": 30, "use_proxy": False}
