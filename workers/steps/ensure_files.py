"""Create the ConfigMap of the version's files, unless it is there."""

from __future__ import annotations

from releases.plan import EnsureFiles
from workers.cluster import AlreadyExistsError, NotFoundError
from workers.files import FilesError, digests, joined, split
from workers.steps.ensure_configuration import LABELS
from workers.steps.work import Done, Failed, Outcome, Work
from workers.words import of_error


def ensure_files(step: EnsureFiles, work: Work) -> Outcome:
    """Its name carries a hash of its content: one that is there is the right one, or was tampered with."""
    there = _there(step, work)
    if there is not None:
        return there
    try:
        contents = work.files(step.folder)
    except FilesError as error:
        return Failed(of_error(error))
    if digests(contents) != step.files:
        return Failed(f"The files in {step.folder} are others than those that the plan was made of")
    texts, parts = split(contents)
    work.before_write()
    try:
        work.cluster.create_config_map(work.namespace, step.name, texts, LABELS, parts=parts)
    except AlreadyExistsError:  # just now, by somebody who went on beside us
        return _there(step, work) or Failed(f"The ConfigMap {step.name} comes and goes")
    return Done(changed=True)


def _there(step: EnsureFiles, work: Work) -> Outcome | None:
    try:
        kept = work.cluster.kept(work.namespace, step.name)
    except NotFoundError:
        return None
    if digests(joined(kept.texts, kept.parts)) != step.files:
        return Failed(f"The ConfigMap {step.name} is there with another content than its name says")
    return Done(changed=False)
