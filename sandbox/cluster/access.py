"""Who is asking, and may they: bearer tokens, and rules as RBAC has them."""

from collections.abc import Iterable
from dataclasses import dataclass

from sandbox.cluster.errors import ApiError, forbidden, unauthorized
from sandbox.cluster.objects import Json
from sandbox.cluster.resources import Resource

OPEN_PATHS = ("/healthz", "/livez", "/readyz", "/version")
DISCOVERY_PATHS = ("/api", "/apis", "/openapi")


@dataclass(frozen=True)
class Rule:
    """Verbs that are allowed on resources; `*` stands for all, `pods/log` for a subresource."""

    verbs: tuple[str, ...]
    resources: tuple[str, ...]
    groups: tuple[str, ...] = ("*",)
    names: tuple[str, ...] = ()
    namespaces: tuple[str, ...] = ("*",)

    def allows(self, verb: str, group: str, resource: str, namespace: str, name: str) -> bool:
        """Say whether the rule covers a request."""
        return (
            _covers(self.verbs, verb)
            and _covers(self.groups, group)
            and (_covers(self.resources, resource) or f"*/{resource.partition('/')[2]}" in self.resources)
            and _covers(self.namespaces, namespace)
            and (not self.names or name in self.names)
        )

    def as_json(self) -> Json:
        """Write the rule as a review of one's own rules shows it."""
        rule = {"verbs": list(self.verbs), "apiGroups": list(self.groups), "resources": list(self.resources)}
        return rule | ({"resourceNames": list(self.names)} if self.names else {})


EVERYTHING = (Rule(("*",), ("*",)),)


@dataclass(frozen=True)
class User:
    """Somebody with a token."""

    name: str
    rules: tuple[Rule, ...] = ()
    groups: tuple[str, ...] = ("system:authenticated",)

    @property
    def is_anonymous(self) -> bool:
        """Whether the request came without a token."""
        return "system:unauthenticated" in self.groups

    def may(self, verb: str, group: str, resource: str, namespace: str = "", name: str = "") -> bool:
        """Say whether any rule of the user covers a request."""
        return any(rule.allows(verb, group, resource, namespace, name) for rule in self.rules)

    def may_get_path(self, path: str) -> bool:
        """Say whether the user may read a path that is no resource."""
        open_to_all = any(path == known or path.startswith(f"{known}/") for known in OPEN_PATHS)
        discovery = any(path == known or path.startswith(f"{known}/") for known in DISCOVERY_PATHS)
        return open_to_all or (discovery and not self.is_anonymous) or self.rules == EVERYTHING


ANONYMOUS = User("system:anonymous", groups=("system:unauthenticated",))


class Users:
    """The tokens that the cluster knows."""

    def __init__(self) -> None:
        self._by_token: dict[str, User] = {}
        # kubectl sends no token over plain HTTP, so that who has none may be let in as somebody.
        self.without_token = ANONYMOUS

    def add(self, token: str, name: str, rules: Iterable[Rule] = EVERYTHING) -> User:
        """Give a user a token; a second call with the token changes name and rules."""
        user = User(name, tuple(rules))
        self._by_token[token] = user
        return user

    def authenticate(self, header: str) -> User:
        """Find the user of an Authorization header; an unknown token is a 401."""
        if not header:
            return self.without_token
        scheme, _, token = header.partition(" ")
        user = self._by_token.get(token.strip())
        if scheme.lower() != "bearer" or user is None:
            raise unauthorized()
        return user


def refusal(
    user: User, verb: str, resource: Resource, *, subresource: str, place: tuple[str, str]
) -> ApiError:
    """Say that a user may not do something to what is at a place (namespace, name), in RBAC's words."""
    namespace, name = place
    full = f"{resource.plural}/{subresource}" if subresource else resource.plural
    where = f'in the namespace "{namespace}"' if namespace else "at the cluster scope"
    why = f'User "{user.name}" cannot {verb} resource "{full}" in API group "{resource.group}" {where}'
    return forbidden(resource, name, why)


def path_refusal(user: User, method: str, path: str) -> ApiError:
    """Say that a user may not read a path that is no resource."""
    message = f'forbidden: User "{user.name}" cannot {method.lower()} path "{path}"'
    return ApiError(403, "Forbidden", message, details={})


def _covers(patterns: tuple[str, ...], value: str) -> bool:
    return "*" in patterns or value in patterns
