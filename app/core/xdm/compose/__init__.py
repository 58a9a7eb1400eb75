"""The schema, composed by code: the class, Adobe's field groups, and the tenant's own fields."""

from app.core.xdm.compose.document import compose
from app.core.xdm.compose.registry import RegistryRequest, registry_requests

__all__ = ["RegistryRequest", "compose", "registry_requests"]
