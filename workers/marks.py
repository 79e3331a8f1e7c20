"""What Buzzy writes beside the objects, so that the cluster itself remembers which release did what.

A Deployment's annotations are copied to its newest ReplicaSet by Kubernetes, also when somebody else changed
the template. So the mark names the template that it is about: if it is another, somebody else put it there.
"""

from __future__ import annotations

from collections.abc import Mapping

from releases.plan import Json, Template, digest_of

RELEASE = "buzzy/release"
VERSION = "buzzy/version"
TEMPLATE = "buzzy/template"
CAUSE = "kubernetes.io/change-cause"
KEPT = "buzzy/kept-until"
"""On a Deployment that has no traffic any more: until when it is kept, in UTC."""

TRAFFIC = "buzzy/traffic"
"""On a Service: the Deployment to which Buzzy has sent its traffic."""

_DIGITS = 16


def marks(release: str, template: Template, cause: str) -> dict[str, str]:
    """The annotations of a Deployment that this release gives this template."""
    return {
        RELEASE: release,
        VERSION: template.version or template.image,
        TEMPLATE: template.digest[:_DIGITS],
        CAUSE: cause,
    }


def made_by(annotations: Mapping[str, str], template: Json) -> str | None:
    """The release that put this template there; None when it was not Buzzy."""
    if annotations.get(TEMPLATE) != digest_of(template)[:_DIGITS]:
        return None
    return annotations.get(RELEASE)


def cause_of(annotations: Mapping[str, str], template: Json) -> str | None:
    """`kubernetes.io/change-cause`, unless it is Buzzy's own about another template."""
    if RELEASE in annotations and made_by(annotations, template) is None:
        cause = annotations.get(CAUSE, "")
        return None if cause.startswith(f"{annotations[RELEASE]}:") else cause or None
    return annotations.get(CAUSE)
