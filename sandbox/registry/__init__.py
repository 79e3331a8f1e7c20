"""An image registry of one's own: the part of the OCI distribution API that pushing and looking up needs."""

from sandbox.registry.app import RegistryApp
from sandbox.registry.images import push_image, push_index

__all__ = ["RegistryApp", "push_image", "push_index"]
