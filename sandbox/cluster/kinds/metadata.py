"""Rules for metadata, the same for every kind."""

import re

from sandbox.cluster.errors import Cause, invalid_value, required
from sandbox.cluster.objects import Json
from sandbox.cluster.resources import NAMESPACES, SERVICES, Resource

_LABEL = "[a-z0-9]([-a-z0-9]*[a-z0-9])?"
_SUBDOMAIN = rf"{_LABEL}(\.{_LABEL})*"
_SERVICE = "[a-z]([-a-z0-9]*[a-z0-9])?"
_VALUE = "(([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9])?"
_NAME = "([A-Za-z0-9][-A-Za-z0-9_.]*)?[A-Za-z0-9]"

LABEL_MESSAGE = (
    "a lowercase RFC 1123 label must consist of lower case alphanumeric characters or '-', and must start "
    "and end with an alphanumeric character (e.g. 'my-name',  or '123-abc', regex used for validation is "
    f"'{_LABEL}')"
)
SUBDOMAIN_MESSAGE = (
    "a lowercase RFC 1123 subdomain must consist of lower case alphanumeric characters, '-' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'example.com', regex used for validation is "
    rf"'{_LABEL}(\.{_LABEL})*')"
)
SERVICE_MESSAGE = (
    "a DNS-1035 label must consist of lower case alphanumeric characters or '-', start with an alphabetic "
    "character, and end with an alphanumeric character (e.g. 'my-name',  or 'abc-123', regex used for "
    f"validation is '{_SERVICE}')"
)
VALUE_MESSAGE = (
    "a valid label must be an empty string or consist of alphanumeric characters, '-', '_' or '.', and must "
    "start and end with an alphanumeric character (e.g. 'MyValue',  or 'my_value',  or '12345', regex used "
    f"for validation is '{_VALUE}')"
)
NAME_MESSAGE = (
    "name part must consist of alphanumeric characters, '-', '_' or '.', and must start and end with an "
    "alphanumeric character (e.g. 'MyName',  or 'my.name',  or '123-abc', regex used for validation is "
    f"'{_NAME}')"
)
LONGEST_LABEL = 63
LONGEST_NAME = 253


def validate_metadata(resource: Resource, thing: Json) -> list[Cause]:
    """Check the name, labels and annotations of an object."""
    metadata = thing["metadata"]
    return [
        *_name_causes(resource, metadata.get("name", "")),
        *validate_labels("metadata.labels", metadata.get("labels") or {}),
        *_annotation_causes(metadata.get("annotations") or {}),
    ]


def is_label(text: str) -> bool:
    """Say whether a text can be a DNS label, as container and port names must."""
    return len(text) <= LONGEST_LABEL and re.fullmatch(_LABEL, text) is not None


def validate_labels(field: str, labels: dict[str, str]) -> list[Cause]:
    """Check the keys and values of labels."""
    causes = []
    for key, value in labels.items():
        if not _is_qualified_name(key):
            causes.append(invalid_value(field, key, NAME_MESSAGE))
        if len(value) > LONGEST_LABEL:
            causes.append(invalid_value(field, value, f"must be no more than {LONGEST_LABEL} bytes"))
        elif not re.fullmatch(_VALUE, value):
            causes.append(invalid_value(field, value, VALUE_MESSAGE))
    return causes


def _name_causes(resource: Resource, name: str) -> list[Cause]:
    field = "metadata.name"
    if not name:
        return [required(field, "name or generateName is required")]
    if resource is SERVICES:
        form, message, longest = _SERVICE, SERVICE_MESSAGE, LONGEST_LABEL
    elif resource is NAMESPACES:
        form, message, longest = _LABEL, LABEL_MESSAGE, LONGEST_LABEL
    else:
        form, message, longest = _SUBDOMAIN, SUBDOMAIN_MESSAGE, LONGEST_NAME
    if len(name) > longest:
        return [invalid_value(field, name, f"must be no more than {longest} bytes")]
    return [] if re.fullmatch(form, name) else [invalid_value(field, name, message)]


def _annotation_causes(annotations: dict[str, str]) -> list[Cause]:
    bad = [key for key in annotations if not _is_qualified_name(key.lower())]
    return [invalid_value("metadata.annotations", key, NAME_MESSAGE) for key in bad]


def _is_qualified_name(key: str) -> bool:
    prefix, _, name = key.rpartition("/")
    good_name = len(name) <= LONGEST_LABEL and re.fullmatch(_NAME, name) is not None
    return good_name and (not prefix or re.fullmatch(_SUBDOMAIN, prefix) is not None)
