"""What happened to a release, as values: the append-only record that everything else is a view of.

Names are past tense. Every event has `at`, an aware UTC time. An event is never changed once written;
a field may be added with a default, so that records of earlier versions of the bot go on being read.
"""

from __future__ import annotations

from typing import Annotated, Literal

from pydantic import AwareDatetime, Field, TypeAdapter

from releases.monitoring import Chart, Reading
from releases.plan import Frozen, Plan, RequestKind, Step
from releases.version import ReleaseType, Urgency


class Actor(Frozen):
    """Who did something: a person of Slack by id, or Buzzy itself."""

    id: str
    name: str


BUZZY = Actor(id="buzzy", name="Buzzy")
"""The actor of what the bot does by itself."""


Via = Literal["reaction", "button", "command", "command line"]
"""How somebody gave an answer: on the release's message, by a line typed in Slack, or in a terminal."""

AskedVia = Literal["slack", "command line"]
"""Where somebody asked for something: in Slack, or in a terminal with `buzzy do`."""


class ApprovalNeeded(Frozen):
    """What has to be agreed before a release may start, as the rules were when it was asked for."""

    quorum: int = Field(ge=1)
    approvers: tuple[str, ...] = Field(description="ids of people (U…) and user groups (S…)")
    own_release: bool = Field(description="whether the person who asked may approve")
    expires_seconds: int = Field(gt=0)
    remind_seconds: int | None = Field(
        default=None, gt=0, description="when the approvers are reminded; None: never"
    )
    escalate_seconds: int | None = Field(default=None, gt=0, description="when on-call is told; None: never")


class Target(Frozen):
    """Where a rollback goes: exactly one of the three, or none for the version before."""

    version: str | None = None
    revision: int | None = None
    release: str | None = None


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


class Happened(Frozen):
    """What all events have."""

    at: AwareDatetime


class Passage(Frozen):
    """Something that closed the environment and was passed, and by which right."""

    kind: Literal["lock", "freeze"]
    what: str = Field(description='such as `carol\'s lock of production ("audit")`')
    right: str = Field(description="such as `a rollback does not wait`")
    reason: str | None = None
    urgency: Urgency | None = Field(
        default=None, description="the hurry that gives the right, while the release is one of that type"
    )


class ReleaseRequested(Happened):
    """Somebody asked for a release, a rollback or a drill; from here on it holds its environment."""

    event: Literal["release_requested"] = "release_requested"
    kind: RequestKind
    environment: str
    version: str | None = Field(description="the version asked for; None for a rollback or a promotion")
    target: Target | None = Field(default=None, description="where a rollback goes")
    strategy: str
    services: tuple[str, ...] = Field(default=(), description="only these; empty for all")
    reason: str | None = None
    by: Actor
    channel: str = Field(description="the environment's channel, where the release's message stands")
    approval: ApprovalNeeded | None
    via: AskedVia = "slack"
    passed: tuple[Passage, ...] = Field(default=(), description="the locks and freezes that it passed")
    over_freezes: Passage | None = Field(
        default=None, description="the right to pass freezes, now and when it starts; None: it has none"
    )
    approval_by_type: dict[ReleaseType, ApprovalNeeded | None] = Field(
        default={}, description="what is asked instead for releases of these types; None: nobody has to agree"
    )
    grace_seconds: int = Field(
        default=0, ge=0, description="the moment before its start in which it can be stopped"
    )
    grace_by_type: dict[ReleaseType, int] = Field(
        default={}, description="the moment of releases of these types instead"
    )
    urgency: Urgency | None = None
    source: str | None = Field(
        default=None, description="a promotion: the environment whose version is released; `version` is None"
    )
    follows: str | None = Field(
        default=None, description="the release of another environment that a standby follows with this one"
    )
    suites: tuple[str, ...] = Field(default=(), description="of a validation: what is run, in this order")
    database: Literal["restore", "keep"] | None = Field(
        default=None,
        description="a rollback: restore the backup, or leave the database as it is; None: undo what can be",
    )
    latest: str | None = Field(
        default=None, description="the rule by which Buzzy asked for this newest build, such as `3.x`"
    )


class PlanProposed(Happened):
    """A worker has read the cluster and says what it would do."""

    event: Literal["plan_proposed"] = "plan_proposed"
    plan: Plan
    seen: tuple[ServiceSeen, ...] = ()
    because: str | None = Field(default=None, description="why it was planned again; None the first time")


class PlanRefused(Happened):
    """There is nothing that could be done: the release ends before it touched anything."""

    event: Literal["plan_refused"] = "plan_refused"
    reason: str
    hint: str = ""
    ready_at: AwareDatetime | None = Field(
        default=None, description="when it could be done, if time alone lacks"
    )
    who: tuple[str, ...] = Field(default=(), description="ids of those who could do it otherwise")


class ApprovalGiven(Happened):
    """An approver agreed to the plan of this digest."""

    event: Literal["approval_given"] = "approval_given"
    by: Actor
    digest: str
    via: Via


class ApprovalWithdrawn(Happened):
    """An approver took the approval back before the release started."""

    event: Literal["approval_withdrawn"] = "approval_withdrawn"
    by: Actor
    because: str | None = Field(
        default=None, description="why it counts no more although the approver said nothing; None: they did"
    )


class ItemTicked(Happened):
    """Somebody confirms an item of the checklist of the plan of this digest."""

    event: Literal["item_ticked"] = "item_ticked"
    by: Actor
    item: str = Field(description="the item's name")
    digest: str


class ReleaseRefused(Happened):
    """An approver said no; the release ends."""

    event: Literal["release_refused"] = "release_refused"
    by: Actor
    via: Via


class MomentBegan(Happened):
    """Nothing is waited for any more: the plan of this digest may run then, unless somebody stops it.

    When the moment has passed the approvals are read again, and it is approved if they still stand.
    """

    event: Literal["moment_began"] = "moment_began"
    digest: str
    starts_at: AwareDatetime = Field(description="the end of the moment; `at` when there is none")


class Approved(Happened):
    """The quorum is reached, or none was needed: the plan of this digest may run."""

    event: Literal["approved"] = "approved"
    digest: str
    unread: bool = Field(
        default=False, description="whether Slack could not be asked if the approvals still stand"
    )


class GateReminded(Happened):
    """It waits for long already: those who can answer are reminded."""

    event: Literal["gate_reminded"] = "gate_reminded"


class GateEscalated(Happened):
    """It waits for so long that on-call is told."""

    event: Literal["gate_escalated"] = "gate_escalated"


class ReplanRequested(Happened):
    """What the plan was made from has changed; it is made again and, if need be, asked again."""

    event: Literal["replan_requested"] = "replan_requested"
    because: str
    by: Actor | None = Field(default=None, description="who asked for it; None: Buzzy saw it itself")


class NotesRead(Happened):
    """A worker has read the release notes of the version, or could not."""

    event: Literal["notes_read"] = "notes_read"
    url: str
    lines: tuple[str, ...] = Field(default=(), description="the first lines, as plain text")
    problem: str = Field(default="", description="why there are none, after `the release notes`")


class ReleaseExpired(Happened):
    """Nobody decided in time; the release ends before it touched anything."""

    event: Literal["release_expired"] = "release_expired"


class AbortRequested(Happened):
    """Somebody wants it stopped: at once while it waits, at the next safe point while it runs."""

    event: Literal["abort_requested"] = "abort_requested"
    by: Actor
    reason: str | None = None
    via: AskedVia = "slack"


class PauseRequested(Happened):
    """Somebody wants it to stay where it is, from its next safe point on."""

    event: Literal["pause_requested"] = "pause_requested"
    by: Actor
    reason: str | None = None
    via: AskedVia = "slack"


class Paused(Happened):
    """The safe point is reached: nothing more is changed until somebody resumes it."""

    event: Literal["paused"] = "paused"


class Resumed(Happened):
    """It goes on with its next step; or it need not be paused any more, if it is not yet."""

    event: Literal["resumed"] = "resumed"
    by: Actor
    via: Via


class Retried(Happened):
    """Somebody has it go on from the step at which it failed; it holds its environment again."""

    event: Literal["retried"] = "retried"
    by: Actor
    via: Via
    passed: tuple[Passage, ...] = Field(default=(), description="the locks and freezes that it passed")


class WayBackRetried(Happened):
    """The same, where it was a step of its way back."""

    event: Literal["way_back_retried"] = "way_back_retried"
    by: Actor
    via: Via


class ReleaseCancelled(Happened):
    """It was stopped before anything was changed."""

    event: Literal["release_cancelled"] = "release_cancelled"


class ReleaseHeld(Happened):
    """It could start, but the environment has been closed meanwhile: it waits until that opens."""

    event: Literal["release_held"] = "release_held"
    because: str
    until: AwareDatetime | None = Field(default=None, description="when it opens by itself, if that is known")


class HoldEnded(Happened):
    """The environment is open again; the release is looked at once more and starts."""

    event: Literal["hold_ended"] = "hold_ended"


class ReleaseStarted(Happened):
    """The cluster is still as the plan saw it; steps begin."""

    event: Literal["release_started"] = "release_started"


class StepStarted(Happened):
    """A step begins. `index` counts from 0 over the steps there and then the steps back."""

    event: Literal["step_started"] = "step_started"
    index: int


class JobStarted(Happened):
    """The Job of a step is in the cluster: from here on, one that is not there any more was taken away."""

    event: Literal["job_started"] = "job_started"
    index: int
    job: str = Field(description="its name")


class StepProgressed(Happened):
    """Something that people watch has changed while a step runs."""

    event: Literal["step_progressed"] = "step_progressed"
    index: int
    seen: tuple[ServiceSeen, ...]


class StepFinished(Happened):
    """A step's end is reached, and was seen to be."""

    event: Literal["step_finished"] = "step_finished"
    index: int
    changed: bool = Field(description="False when everything was already as the step wants it")
    seen: tuple[ServiceSeen, ...] = ()
    result: str = Field(default="", description="what its Job gave, such as what the backup is called")
    log: tuple[str, ...] = Field(default=(), description="the last lines that its Job wrote")


class StepFailed(Happened):
    """A step cannot reach its end."""

    event: Literal["step_failed"] = "step_failed"
    index: int
    reason: str = Field(description="one sentence")
    evidence: tuple[Evidence, ...] = ()
    seen: tuple[ServiceSeen, ...] = ()
    chart: Chart | None = Field(default=None, description="the metric that tripped, if it was one")


class Monitored(Happened):
    """What is watched stands otherwise than before, or a fifth of the time has passed."""

    event: Literal["monitored"] = "monitored"
    index: int
    readings: tuple[Reading, ...]
    news: tuple[str, ...] = Field(default=(), description="the triggers that stand otherwise")


class DecisionAsked(Happened):
    """What was watched does not say whether the release is good: a person has to."""

    event: Literal["decision_asked"] = "decision_asked"
    index: int
    because: str = Field(description="one sentence")
    evidence: tuple[Evidence, ...] = ()
    chart: Chart | None = None


class DecisionReminded(Happened):
    """Nobody has decided so far: whether it is good, or how long it stays paused."""

    event: Literal["decision_reminded"] = "decision_reminded"


class MonitorSettled(Happened):
    """A person says that the release is good: it need not be watched any more."""

    event: Literal["monitor_settled"] = "monitor_settled"
    by: Actor
    via: Via


class SignOffAsked(Happened):
    """A step waits for a person's word; nobody is at work until then."""

    event: Literal["sign_off_asked"] = "sign_off_asked"
    index: int
    question: str
    by: tuple[str, ...] = Field(description="who may answer: ids of people and user groups")
    expires_at: AwareDatetime


class SignedOff(Happened):
    """Somebody said that it is good."""

    event: Literal["signed_off"] = "signed_off"
    index: int
    by: Actor
    via: Via


class SignOffRefused(Happened):
    """Somebody said that it is not good."""

    event: Literal["sign_off_refused"] = "sign_off_refused"
    index: int
    by: Actor
    via: Via


class SignOffExpired(Happened):
    """Nobody said anything in time."""

    event: Literal["sign_off_expired"] = "sign_off_expired"
    index: int


class Interrupted(Happened):
    """A worker found a release whose worker had died, and says what it saw in the cluster."""

    event: Literal["interrupted"] = "interrupted"
    found: str = Field(description="what was found and what is done about it, in one or two sentences")


class TurnedBack(Happened):
    """From here on the release undoes what it did."""

    event: Literal["turned_back"] = "turned_back"
    steps: tuple[Step, ...]
    because: str
    by_itself: bool = Field(default=False, description="whether nobody asked for it: it was seen to be ill")


class ReleaseFinished(Happened):
    """Every step is done: the environment runs what the plan said."""

    event: Literal["release_finished"] = "release_finished"


class ReleaseFailed(Happened):
    """It stopped where it was; what it changed is still changed."""

    event: Literal["release_failed"] = "release_failed"
    reason: str
    changed: tuple[str, ...] = Field(default=(), description="the services that it had changed")


class RolledBack(Happened):
    """What the release changed is undone, and was seen to be."""

    event: Literal["rolled_back"] = "rolled_back"


Event = Annotated[
    ReleaseRequested
    | PlanProposed
    | PlanRefused
    | ApprovalGiven
    | ApprovalWithdrawn
    | ItemTicked
    | ReleaseRefused
    | MomentBegan
    | Approved
    | GateReminded
    | GateEscalated
    | ReplanRequested
    | NotesRead
    | ReleaseExpired
    | AbortRequested
    | PauseRequested
    | Paused
    | Resumed
    | Retried
    | WayBackRetried
    | ReleaseCancelled
    | ReleaseHeld
    | HoldEnded
    | ReleaseStarted
    | StepStarted
    | JobStarted
    | StepProgressed
    | StepFinished
    | StepFailed
    | SignOffAsked
    | SignedOff
    | SignOffRefused
    | SignOffExpired
    | Monitored
    | DecisionAsked
    | DecisionReminded
    | MonitorSettled
    | Interrupted
    | TurnedBack
    | ReleaseFinished
    | ReleaseFailed
    | RolledBack,
    Field(discriminator="event"),
]

_ADAPTER: TypeAdapter[Event] = TypeAdapter(Event)


def dump_event(event: Event) -> str:
    """An event as JSON text, for the record."""
    return event.model_dump_json()


def load_event(text: str | bytes) -> Event:
    """An event from the record. Raises `pydantic.ValidationError` when it is not one."""
    return _ADAPTER.validate_json(text)
