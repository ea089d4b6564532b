"""The driver, as Zuul's registry takes it."""

from __future__ import annotations

import urllib.parse
from typing import Any

from zuul.driver import ConnectionInterface, Driver, ProviderInterface
from zuul.provider import EndpointCacheMixin

from xenci.zuul.xen.connection import XenConnection
from xenci.zuul.xen.endpoint import XenEndpoint
from xenci.zuul.xen.model import XenProviderNode
from xenci.zuul.xen.provider import XenProvider, XenProviderSchema


class XenDriver(Driver, EndpointCacheMixin, ConnectionInterface, ProviderInterface):
    """Guests on Xen hosts."""

    name = "xen"
    _endpoint_class = XenEndpoint

    def getConnection(self, name: str, config: dict[str, str]) -> XenConnection:  # noqa: N802 - Zuul's names
        """Return a connection of zuul.conf."""
        return XenConnection(self, name, config)

    def getProvider(  # noqa: N802
        self,
        zk_client: Any,
        connection: Any,
        tenant_name: str,
        canonical_name: str,
        provider_config: Any,
        system_id: str,
    ) -> XenProvider:
        """Return a provider."""
        return XenProvider(
            self, zk_client, connection, tenant_name, canonical_name, provider_config, system_id
        )

    def getProviderClass(self) -> type[XenProvider]:  # noqa: N802
        """Return the class of providers."""
        return XenProvider

    def getProviderSchema(self, internal: bool = False) -> Any:  # noqa: N802
        """Return the schema of a provider."""
        return XenProviderSchema().getProviderSchema(internal)

    def getProviderSchemaClass(self) -> type[XenProviderSchema]:  # noqa: N802
        """Return the class of schemas."""
        return XenProviderSchema

    def getProviderNodeClass(self) -> type[XenProviderNode]:  # noqa: N802
        """Return the class of nodes."""
        return XenProviderNode

    def getEndpoint(self, provider: XenProvider) -> XenEndpoint:  # noqa: N802
        """Return the endpoint of a provider's host."""
        connection, host = provider.connection, provider.host
        parts = (connection.connection_name, host)
        endpoint: XenEndpoint = self.getEndpointById(
            "/".join(map(urllib.parse.quote_plus, parts)),
            create_args=(self, provider.zk_client, connection, host, provider.system_id),
        )
        return endpoint

    def stop(self) -> None:
        """Stop with the service."""
        self.stopEndpoints()
