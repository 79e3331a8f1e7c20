"""The command that asks for the same as a release did. Pure."""

from __future__ import annotations

from releases import grammar
from releases.events import ReleaseRequested
from releases.lifecycle import Release
from releases.version import Version

Opening = grammar.Release | grammar.Promote | grammar.Rollback | grammar.Drill | grammar.Validate


def again(release: Release) -> str:
    """The line to copy."""
    return f"/buzzy {command_of(release.request).line()}"


def command_of(request: ReleaseRequested) -> Opening:
    """The command; what stood in its way then, such as a freeze, it does not pass once more."""
    hotfix, security = request.urgency == "hotfix", request.urgency == "security"
    match request.kind:
        case "rollback":
            return grammar.Rollback(
                request.environment,
                services=request.services,
                restore=request.database == "restore",
                keep_database=request.database == "keep",
            )
        case "validation":
            one = request.suites[0] if len(request.suites) == 1 else None
            return grammar.Validate(request.environment, one)
        case "drill":
            return grammar.Drill(request.environment, request.reason)
        case "release" if request.source is not None:
            return grammar.Promote(
                request.source,
                request.environment,
                services=request.services,
                reason=request.reason,
                hotfix=hotfix,
                security=security,
            )
        case "release":
            return grammar.Release(
                Version.parse(request.version or ""),
                request.environment,
                services=request.services,
                reason=request.reason,
                hotfix=hotfix,
                security=security,
            )
