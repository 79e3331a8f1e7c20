"""Say what changed and which services are ill now. Whatever the cluster does not say is no reason to wait."""

from __future__ import annotations

from collections.abc import Iterator

from releases.filesets import changes
from releases.identifying import Identify
from workers.cluster import ClusterError, NotFoundError
from workers.files import digests, joined
from workers.observe import services_seen
from workers.steps.work import Done, Work


def identify(step: Identify, work: Work) -> Done:
    """Look once; it is always done, because the way back must not wait for an answer."""
    ill, how = _ill(work)
    return Done(changed=False, result=ill, log=(*step.lines(), *_configuration(step, work), *how))


def _ill(work: Work) -> tuple[str, tuple[str, ...]]:
    """Which services are ill, in a few words and then a line each."""
    try:
        seen = services_seen(work.observe())
    except ClusterError as error:
        return f"what is ill now could not be seen: {error}", ()
    ill = [each for each in seen if not each.healthy]
    if not ill:
        return "no pod is ill now", ()
    lines = tuple(
        f"{each.service} is ill: {each.ready} of {each.total} ready{f', {each.state}' if each.state else ''}"
        for each in ill
    )
    return f"ill now: {', '.join(each.service for each in ill)}", lines


def _configuration(step: Identify, work: Work) -> Iterator[str]:
    """Which entries of its configuration and files came, changed or went since then; by their names."""
    told: set[tuple[str, str]] = set()
    for pair in (pair for each in step.suspects for pair in each.configuration):
        if pair in told:
            continue
        told.add(pair)
        before, now = pair
        try:
            differs = changes(_entries(before, work), _entries(now, work))
        except ClusterError as error:
            yield f"configuration: what differs between {before or 'none'} and {now or 'none'}: {error}"
            continue
        if differs:
            yield f"configuration {now or before}: {', '.join(differs)}"


def _entries(config_map: str, work: Work) -> dict[str, str]:
    """The digest of each entry of a ConfigMap, by its name; none of one that is not there any more."""
    if not config_map:
        return {}
    try:
        kept = work.cluster.kept(work.namespace, config_map)
    except NotFoundError:
        return {}
    return digests(joined(kept.texts, kept.parts))
