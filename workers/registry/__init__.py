"""The image registry, as the workers need it: what a tag is now, which tags there are, what is in an image.

Nothing outside this package speaks to a registry.
"""

from workers.registry.errors import (
    ImageMissingError,
    RegistryAnswerError,
    RegistryAwayError,
    RegistryBusyError,
    RegistryError,
    RegistryForbiddenError,
    RegistryLoginError,
    RegistryUnreachableError,
)
from workers.registry.logins import Login, LoginFileError, Logins, read_logins
from workers.registry.oci import OciRegistry
from workers.registry.port import ImageConfiguration, Registry

__all__ = [
    "ImageConfiguration",
    "ImageMissingError",
    "Login",
    "LoginFileError",
    "Logins",
    "OciRegistry",
    "Registry",
    "RegistryAnswerError",
    "RegistryAwayError",
    "RegistryBusyError",
    "RegistryError",
    "RegistryForbiddenError",
    "RegistryLoginError",
    "RegistryUnreachableError",
    "read_logins",
]
