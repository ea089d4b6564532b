"""Certificates: the site's own authority and no other, and no service in clear."""

from __future__ import annotations

import socket
import ssl

import pytest

from xenci.demo.site import Site

SERVICES = {"review": 443, "ci": 443, "logs": 443}


@pytest.mark.parametrize("host", SERVICES)
def test_the_certificate_is_good_for_name_and_address(host: str, site: Site) -> None:
    address = site.addresses[host]
    for name in (address, f"{host}.{site.lab.name}.test"):
        context = ssl.create_default_context(cafile=site.authority)
        with (
            socket.create_connection((address, SERVICES[host]), timeout=10) as plain,
            context.wrap_socket(plain, server_hostname=name) as secure,
        ):
            assert secure.version() in ("TLSv1.2", "TLSv1.3")


@pytest.mark.parametrize("host", SERVICES)
def test_who_does_not_know_the_authority_is_warned(host: str, site: Site) -> None:
    address = site.addresses[host]
    with (
        socket.create_connection((address, SERVICES[host]), timeout=10) as plain,
        pytest.raises(ssl.SSLCertVerificationError),
        ssl.create_default_context().wrap_socket(plain, server_hostname=address),
    ):
        pass
