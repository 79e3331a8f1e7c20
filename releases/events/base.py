"""What events have in common, and what they show of the cluster."""

from __future__ import annotations

from pydantic import AwareDatetime, Field

from releases.frozen import Frozen


class Happened(Frozen):
    """What all events have."""

    at: AwareDatetime


class ServiceSeen(Frozen):
    """One service as it was last seen in the cluster; counts are pods."""

    service: str
    image: str
    version: str | None
    ready: int = Field(description="pods of the template that is being rolled out that are ready")
    total: int = Field(description="pods that the Deployment asks for")
    revision: int | None = None
    release: str | None = Field(
        default=None, description="the release that put it there, as the cluster says"
    )
    state: str = Field(default="", description="a few words, such as `1 starting`; empty when healthy")
    healthy: bool = True


class Evidence(Frozen):
    """Why a step failed, in the pods' own words."""

    service: str
    pod: str | None = None
    reason: str = Field(description="Kubernetes' word for it, such as CrashLoopBackOff")
    message: str = ""
    log: tuple[str, ...] = Field(default=(), description="the last lines that the container wrote")
    events: tuple[str, ...] = Field(default=(), description="the cluster's own warnings about it")
