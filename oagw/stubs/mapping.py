"""The JSON format of a stub: WireMock's stub mapping, with the additional member ``times``."""

from typing import Annotated, Any, Literal

import msgspec
from msgspec import UNSET, UnsetType

from oagw.matching.spec import RequestPattern
from oagw.stubs.response import ResponseDefinition

# WireMock's default. Priority 1 comes first.
DEFAULT_PRIORITY = 5

# In Python, $ also matches before a final newline.
_UUID = r"^[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}$(?!\n)"

Uuid = Annotated[str, msgspec.Meta(pattern=_UUID, description="a UUID")]
Name = Annotated[str, msgspec.Meta(max_length=1000)]


class StubMapping(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """One stub: the requests that it matches, and the response.

    ``id`` and ``uuid`` are the same. ``times`` is the number of requests that it answers. ``insertion_index``
    occurs in files written by WireMock, and is ignored.
    """

    id: Uuid | UnsetType = UNSET
    name: Name | UnsetType = UNSET
    request: RequestPattern = RequestPattern()
    response: ResponseDefinition = ResponseDefinition()
    uuid: Uuid | UnsetType = UNSET
    persistent: bool | UnsetType = UNSET
    priority: Annotated[int, msgspec.Meta(ge=1, le=2**31 - 1)] | UnsetType | None = UNSET
    scenario_name: Name | UnsetType | None = UNSET
    required_scenario_state: Name | UnsetType | None = UNSET
    new_scenario_state: Name | UnsetType | None = UNSET
    metadata: dict[str, Any] | UnsetType | None = UNSET
    times: Annotated[int, msgspec.Meta(ge=1)] | UnsetType = UNSET
    insertion_index: int | UnsetType = UNSET


class ImportOptions(
    msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True
):
    """What an import does with a stub that exists already, and with stubs that are not in the import."""

    duplicate_policy: Literal["OVERWRITE", "IGNORE"] = "OVERWRITE"
    delete_all_not_in_import: bool = False


class Mappings(msgspec.Struct, frozen=True, forbid_unknown_fields=True, rename="camel", omit_defaults=True):
    """Several stubs, in order of precedence. ``meta`` occurs in WireMock's lists."""

    mappings: list[StubMapping]
    import_options: ImportOptions | UnsetType | None = UNSET
    meta: dict[str, Any] | UnsetType | None = UNSET
