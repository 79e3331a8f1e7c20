"""Run a suite: a Job to its end, or an answer or a metric that is asked for until it is good."""

from __future__ import annotations

import time

from releases.database import Task
from releases.events import SignedOff, SignOffExpired, SignOffRefused
from releases.validation import HttpCheck, PersonCheck, Validate
from workers.answers import AnswerError, ask
from workers.steps.measured import measured
from workers.steps.monitor import Watching
from workers.steps.task import Ran, run_task
from workers.steps.work import Asks, Done, Failed, Outcome, Unfinished, Work

PAUSE_SECONDS = 1.0


def validate(step: Validate, work: Watching) -> Outcome:
    """It has passed, or says why not."""
    if step.http is not None:
        return _asked(step.suite, step.http, work)
    if step.metric is not None:
        return measured(step.suite, step.metric, work)
    if step.person is not None:
        return _answered(step.suite, step.person, work)
    if step.job is None:
        return Failed(f"The suite {step.suite} is of no kind")
    return _ran(step, step.job, work)


def _ran(step: Validate, job: Task, work: Work) -> Outcome:
    """Its Job, which is given the newest backup where it restores one."""
    variables, result = {"BUZZY_VERSION": step.version}, ""
    if step.backup is not None:
        known = work.newest_backup()
        if known is None:
            return Failed(f"No release has made a backup that the suite {step.suite} could restore")
        variables["BUZZY_BACKUP"] = known.name
        result = f"with the backup {known.name} of {known.release.id}"
    ran = run_task(f"suite {step.suite}", job, variables, work, slug=step.suite)
    return Done(changed=True, result=result, log=ran.log) if isinstance(ran, Ran) else ran


def _answered(suite: str, check: PersonCheck, work: Work) -> Outcome:
    """What a person said; until then nobody is kept waiting for it."""
    match work.answer:
        case None:
            return Asks(check)
        case SignedOff(by=by):
            return Done(changed=True, result=f"signed off by {by.name}")
        case SignOffRefused(by=by):
            return Failed(f"{by.name} did not sign off the suite {suite}", ill=True)
        case SignOffExpired():
            return Failed(f"Nobody signed off the suite {suite} in time")


def _asked(suite: str, check: HttpCheck, work: Work) -> Outcome:
    """Good at last, or not good when its time is up."""
    while True:
        good, said = look(check)
        if good:
            return Done(changed=True, result=said)
        if work.now() >= work.deadline:
            return Failed(f"The suite {suite} has not passed: {said}", ill=True)
        if not work.go_on():
            return Unfinished()
        time.sleep(PAUSE_SECONDS)


def look(check: HttpCheck) -> tuple[bool, str]:
    """Whether it is good now, and what it says."""
    try:
        status, answer = ask(check.url)
    except AnswerError as error:
        return False, f"it {error}"
    return check.judge(status, answer)
