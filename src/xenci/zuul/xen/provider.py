"""Providers, labels and flavors of the driver: what Zuul's configuration may say, and what becomes of it.

- section:
    name: xen1
    connection: xen
    host: xen1.example.org
    launch-attempts: 2
    flavors: [{name: small, memory: 1024, vcpus: 2}]
    images: [{name: debian-12, type: cloud, username: zuul, python-path: /usr/bin/python3}]
    labels: [{name: xen-debian-12, image: debian-12, flavor: small, guest-type: pvh}]

A flavor with `whole-host: true` in place of sizes is the host itself, for builds of the pipelines that it
names: they are root in dom0. The image of its label says how to log in there.
"""

from __future__ import annotations

import logging
import math
from typing import Any

import voluptuous
from zuul import model
from zuul.lib.voluputil import Nullable, Optional, Required, assemble
from zuul.provider import (
    BaseProvider,
    BaseProviderFlavor,
    BaseProviderImage,
    BaseProviderLabel,
    BaseProviderSchema,
    statemachine,
)
from zuul.provider import schema as provider_schema

from xenci.zuul.xen.endpoint import (
    XenCreateStateMachine,
    XenDeleteStateMachine,
    XenEndpoint,
    XenLeaseStateMachine,
    XenReleaseStateMachine,
    label_quota,
)

DEFAULT_TYPE = "pvh"
PIPELINE = "pipeline"


class XenProviderImage(BaseProviderImage):
    """A golden image that is on the host already, under the same name."""

    connection_type: str | None
    connection_port: int | None

    def __init__(self, image_config: Any, provider_config: Any) -> None:
        super().__init__(image_config, provider_config)
        if self.connection_type is None:
            self.connection_type = "ssh"
        if self.connection_port is None:
            self.connection_port = 22


class XenProviderFlavor(BaseProviderFlavor):
    """How large a guest is, or that it is no guest but the whole host."""

    size = voluptuous.Schema(
        {
            Optional("memory", doc="Memory in MiB."): Nullable(int),
            Optional("vcpus", default=1, doc="Number of virtual CPUs."): int,
            Optional("disk", doc="Size of the disk in MiB; the image's own if not given."): Nullable(int),
            Optional("whole-host", default=False, doc="The host itself is leased; no sizes then."): bool,
            Optional("pipelines", default=list, doc="Those whose builds may lease the host."): [str],
        }
    )
    schema = assemble(BaseProviderFlavor.schema, size)
    internal_schema = assemble(schema, provider_schema.internal_base_flavor, extra=voluptuous.ALLOW_EXTRA)


class XenProviderLabel(BaseProviderLabel):
    """What kind of guest it is."""

    kind = voluptuous.Schema(
        {
            Optional("guest-type", doc=f"Kind of virtualisation; {DEFAULT_TYPE} if not given."): Nullable(
                voluptuous.Any("pv", "pvh", "hvm")
            )
        }
    )
    inheritable_schema = assemble(BaseProviderLabel.inheritable_schema, kind)
    schema = assemble(BaseProviderLabel.schema, kind)
    internal_schema = assemble(schema, provider_schema.internal_base_label, extra=voluptuous.ALLOW_EXTRA)
    image_flavor_inheritable_schema = voluptuous.Schema({})

    def __init__(self, label_config: Any, provider_config: Any) -> None:
        super().__init__(label_config, provider_config)
        # The host made the guest's keys; a scan would put what the network says in their place.
        self.host_key_checking = False


class XenProviderSchema(BaseProviderSchema):
    """Schemas of the stanzas."""

    def getLabelSchema(self, internal: bool = False) -> Any:  # noqa: N802 - Zuul's names, here and below
        """Return the schema of a label."""
        return XenProviderLabel.internal_schema if internal else XenProviderLabel.schema

    def getFlavorSchema(self, internal: bool = False) -> Any:  # noqa: N802
        """Return the schema of a flavor."""
        return XenProviderFlavor.internal_schema if internal else XenProviderFlavor.schema

    def getInheritableLabelSchema(self) -> Any:  # noqa: N802
        """Return the schema of label-defaults."""
        return XenProviderLabel.inheritable_schema

    def getInheritableFlavorSchema(self) -> Any:  # noqa: N802
        """Return the schema of flavor-defaults."""
        return XenProviderFlavor.inheritable_schema

    def getProviderSchema(self, internal: bool = False) -> Any:  # noqa: N802
        """Return the schema of a provider with its section."""
        limits = {
            Optional("instances", default=voluptuous.UNDEFINED, doc="Number of guests."): int,
            Optional("cores", default=voluptuous.UNDEFINED, doc="Number of virtual CPUs."): int,
            Optional("ram", default=voluptuous.UNDEFINED, doc="Memory in MiB."): int,
        }
        xen = voluptuous.Schema(
            {
                Required("host", doc="Address of the Xen host, as known_hosts has it."): str,
                Optional("resource-limits", default={}, doc="Less than what the host can carry."): limits,
            }
        )
        return assemble(super().getProviderSchema(internal), xen)


class XenProvider(BaseProvider, subclass_id="xen"):  # type: ignore[call-arg]
    """One Xen host."""

    log = logging.getLogger("zuul.XenProvider")
    schema = XenProviderSchema().getProviderSchema()
    internal_schema = XenProviderSchema().getProviderSchema(internal=True)

    @property
    def endpoint(self) -> XenEndpoint:
        """The host's endpoint, the same for every provider of the host."""
        endpoint: XenEndpoint = self.getEndpoint()
        return endpoint

    def getEndpoint(self) -> Any:  # noqa: N802
        """Return it."""
        return self.driver.getEndpoint(self)

    def parseImage(self, image_config: Any, provider_config: Any, connection: Any) -> XenProviderImage:  # noqa: N802
        """Return an image."""
        del connection
        return XenProviderImage(image_config, provider_config)

    def parseFlavor(self, flavor_config: Any, provider_config: Any, connection: Any) -> XenProviderFlavor:  # noqa: N802
        """Return a flavor."""
        del connection
        return XenProviderFlavor(flavor_config, provider_config)

    def parseLabel(self, label_config: Any, provider_config: Any, connection: Any) -> XenProviderLabel:  # noqa: N802
        """Return a label."""
        del connection
        return XenProviderLabel(label_config, provider_config)

    def validateConfig(self, config: dict[str, Any]) -> None:  # noqa: N802
        """Refuse images that Zuul would have to bring to the host, and flavors of no size.

        The golden images come another way.
        """
        for image in config["images"].values():
            if image.type != "cloud":
                raise ValueError(
                    f"image {image.name} has type {image.type}: with driver xen it must be cloud"
                )
        for flavor in config["flavors"].values():
            if flavor.whole_host == (flavor.memory is not None):
                raise ValueError(f"flavor {flavor.name}: give its memory, or `whole-host: true`")

    def getNodeTags(  # noqa: N802
        self, system_id: str, label: Any, node_uuid: str, request: Any = None
    ) -> dict[str, str]:
        """Return what a guest is labelled with; a lease also with the pipeline that asks for it."""
        tags: dict[str, str] = super().getNodeTags(system_id, label, node_uuid, request)
        if self.flavors[label.flavor].whole_host and request:
            tags[PIPELINE] = request.pipeline_name
        return tags

    def getCreateStateMachine(self, node: Any, image_external_id: Any, log: Any) -> statemachine.StateMachine:  # noqa: N802
        """Return what makes a node's guest, or gets it the whole host."""
        del image_external_id
        label = self.labels[node.label]
        flavor = self.flavors[label.flavor]
        if flavor.whole_host:
            pipeline = node.tags.get(PIPELINE, "")
            if pipeline not in flavor.pipelines:
                served = ", ".join(flavor.pipelines) or "none"
                raise ValueError(
                    f"label {label.name} serves the pipelines {served}: {pipeline or 'none'} asked"
                )
            return XenLeaseStateMachine(self.endpoint, node, log)
        request = {
            "image": self.images[label.image].name,
            "type": label.guest_type or DEFAULT_TYPE,
            "memory_mib": flavor.memory,
            "vcpus": flavor.vcpus,
            **({"disk_mib": flavor.disk} if flavor.disk else {}),
        }
        return XenCreateStateMachine(self.endpoint, node, request, log)

    def getDeleteStateMachine(self, node: Any, log: Any) -> statemachine.StateMachine:  # noqa: N802
        """Return what removes a node's guest, or gives the host back."""
        machine = XenReleaseStateMachine if node.whole_host else XenDeleteStateMachine
        return machine(self.endpoint, node, log)

    def getEndpointLimits(self) -> Any:  # noqa: N802
        """Return the host's nominal capacity, no limit while it was never told."""
        return model.QuotaInformation(default=math.inf, **self.endpoint.quota_cache.getLimits().quota)

    def getQuotaForLabel(self, label: Any) -> Any:  # noqa: N802
        """Return what a guest of a label needs."""
        return label_quota(self.flavors[label.flavor])

    def refreshQuotaForLabel(self, label: Any, update: bool) -> None:  # noqa: N802
        """Nothing to ask: a flavor says it all."""
