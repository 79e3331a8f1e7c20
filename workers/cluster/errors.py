"""What can go wrong with a cluster. The type says whether trying again can help; the text is for people.

No text holds a payload, a header or a traceback: it may be shown in a channel.
"""

from __future__ import annotations

BELIEVED_SECONDS = 10.0
"""How long something must be denied that was allowed before, until that is believed."""


class ClusterError(Exception):
    """The cluster did not do what it was asked to. Its text is a sentence without a full stop."""


class TransientError(ClusterError):
    """The same request may succeed in a moment."""


class ClusterUnreachableError(TransientError):
    """No usable answer came. Whether a write took effect is not known."""

    def __init__(self, why: str) -> None:
        """`why` is a few words, such as `connection refused`."""
        super().__init__(f"the cluster does not answer ({why})")
        self.why = why


class TooManyRequestsError(TransientError):
    """The cluster wants to be left alone for a while."""

    def __init__(self, retry_after: float) -> None:
        """`retry_after` is in seconds, as the cluster says; 0 when it does not."""
        super().__init__("the cluster has too much to do just now")
        self.retry_after = retry_after


class ConflictError(ClusterError):
    """The object was changed since it was read: read it again, and decide again."""


class AlreadyExistsError(ClusterError):
    """There is an object of that name."""


class NotFoundError(ClusterError):
    """There is no object of that name."""

    def __init__(self, resource: str, name: str, namespace: str) -> None:
        """`resource` is Kubernetes' plural word, such as `deployments`."""
        super().__init__(f"there is no {resource.removesuffix('s')} {name} in {namespace}")


class DeniedError(ClusterError):
    """Buzzy is not allowed to.

    Trying again does not help, with one exception: an API server that has just started refuses for a
    moment what it will allow as soon as it has read the roles.
    """


class ForbiddenError(DeniedError):
    """Buzzy's role in the cluster does not allow it."""

    def __init__(self, verb: str, resource: str, namespace: str) -> None:
        """`resource` has its API group in front, such as `apps/deployments`, as roles are written."""
        plain = (
            resource.rpartition("/")[2] if resource.count("/") == 1 and "pods" not in resource else resource
        )
        super().__init__(
            f"Buzzy may not {verb} {plain} in {namespace}: its Role there needs {resource}: {verb}"
        )


class InvalidError(ClusterError):
    """The cluster understood and refused: its rules, a quota, an admission webhook."""

    def __init__(self, message: str) -> None:
        """`message` is the cluster's own, on one line."""
        super().__init__(f"the cluster refused it: {message}")
        self.message = message


class CredentialsRefusedError(DeniedError):
    """The cluster does not know who Buzzy is."""

    def __init__(self) -> None:
        """Nothing more is known."""
        super().__init__("the cluster does not accept Buzzy's credentials; are they expired?")


class ClusterUnknownError(ClusterError):
    """It is not known where the cluster is: a context that is missing, no kubeconfig at all."""
