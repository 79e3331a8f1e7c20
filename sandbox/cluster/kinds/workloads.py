"""Deployments, ReplicaSets and Jobs: what runs pods from a template."""

from sandbox.cluster.errors import Cause, invalid_value, required, unsupported
from sandbox.cluster.kinds.base import Kind
from sandbox.cluster.kinds.metadata import validate_labels
from sandbox.cluster.kinds.podrules import validate_pod_spec
from sandbox.cluster.kinds.podspec import default_pod_spec
from sandbox.cluster.objects import Json, labels_of, name_of, uid_of
from sandbox.cluster.quantities import int_or_percent
from sandbox.cluster.selectors import matches_selector

IMMUTABLE = "field is immutable"
NEGATIVE = "must be greater than or equal to 0"
_LIMITS = ("revisionHistoryLimit", "progressDeadlineSeconds")
_JOB_NUMBERS = (
    "completions",
    "parallelism",
    "backoffLimit",
    "activeDeadlineSeconds",
    "ttlSecondsAfterFinished",
)


class DeploymentKind(Kind):
    """A deployment: a template, how many of it, and how to get from one template to the next."""

    def default(self, thing: Json) -> None:
        """Fill in the numbers of a careful rolling update."""
        spec = thing["spec"]
        _require_integers("Deployment", spec, "replicas", "minReadySeconds", *_LIMITS)
        spec.setdefault("replicas", 1)
        spec.setdefault("revisionHistoryLimit", 10)
        spec.setdefault("progressDeadlineSeconds", 600)
        strategy = spec.setdefault("strategy", {})
        strategy.setdefault("type", "RollingUpdate")
        if strategy["type"] == "RollingUpdate":
            update = strategy.setdefault("rollingUpdate", {})
            update.setdefault("maxUnavailable", "25%")
            update.setdefault("maxSurge", "25%")
        default_pod_spec(_template_of(spec)["spec"])

    def validate(self, thing: Json) -> list[Cause]:
        """Check selector, template, numbers and strategy."""
        spec = thing["spec"]
        deadline = spec.get("progressDeadlineSeconds", 600)
        causes = _template_causes(spec) + _negative_causes(
            spec, "replicas", "minReadySeconds", "revisionHistoryLimit"
        )
        if deadline <= spec.get("minReadySeconds", 0):
            message = "must be greater than minReadySeconds"
            causes.append(invalid_value("spec.progressDeadlineSeconds", deadline, message))
        return causes + _strategy_causes(spec["strategy"])

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """A deployment keeps its selector."""
        return _fixed(new, old, "selector")


class ReplicaSetKind(Kind):
    """A replica set: so many pods of one template."""

    def default(self, thing: Json) -> None:
        """One replica, unless somebody says otherwise."""
        _require_integers("ReplicaSet", thing["spec"], "replicas", "minReadySeconds")
        thing["spec"].setdefault("replicas", 1)
        default_pod_spec(_template_of(thing["spec"])["spec"])

    def validate(self, thing: Json) -> list[Cause]:
        """Check selector, template and numbers."""
        return _template_causes(thing["spec"]) + _negative_causes(
            thing["spec"], "replicas", "minReadySeconds"
        )

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """A replica set keeps its selector."""
        return _fixed(new, old, "selector")


class JobKind(Kind):
    """A job: pods that run to their end."""

    def default(self, thing: Json) -> None:
        """Fill in one completion, one pod at a time, six retries."""
        spec = thing["spec"]
        _require_integers("Job", spec, *_JOB_NUMBERS)
        if "completions" not in spec and "parallelism" not in spec:
            spec["completions"] = 1
        spec.setdefault("parallelism", 1)
        spec.setdefault("backoffLimit", 6)
        spec.setdefault("completionMode", "NonIndexed")
        spec.setdefault("suspend", False)
        spec.setdefault("manualSelector", False)
        spec.setdefault("podReplacementPolicy", "TerminatingOrFailed")
        default_pod_spec(_template_of(spec)["spec"])

    def prepare_create(self, thing: Json) -> None:
        """Tie the pods to this very job, by its uid."""
        spec = thing["spec"]
        template = spec["template"].setdefault("metadata", {})
        if not spec["manualSelector"]:
            uid, name = uid_of(thing), name_of(thing)
            labels = {"batch.kubernetes.io/controller-uid": uid, "batch.kubernetes.io/job-name": name}
            labels |= {"controller-uid": uid, "job-name": name}
            template["labels"] = (template.get("labels") or {}) | labels
            spec.setdefault("selector", {"matchLabels": {"batch.kubernetes.io/controller-uid": uid}})
        if not labels_of(thing) and template.get("labels"):
            thing["metadata"]["labels"] = dict(template["labels"])

    def validate(self, thing: Json) -> list[Cause]:
        """Check template and numbers."""
        spec = thing["spec"]
        pod = spec["template"]["spec"]
        causes = _negative_causes(spec, *_JOB_NUMBERS)
        if pod["restartPolicy"] == "Always":
            causes.append(required("spec.template.spec.restartPolicy", 'valid values: "OnFailure", "Never"'))
            return causes + validate_pod_spec("spec.template.spec", pod)
        return causes + validate_pod_spec("spec.template.spec", pod, ("OnFailure", "Never"))

    def validate_update(self, new: Json, old: Json) -> list[Cause]:
        """A job keeps what it runs and how often."""
        return _fixed(new, old, "selector", "template", "completions", "completionMode")


def _require_integers(kind: str, spec: Json, *names: str) -> None:
    """Refuse a number that is none, as reading the object would."""
    for name in names:
        value = spec.get(name, 0)
        if isinstance(value, bool) or not isinstance(value, int):
            given = {str: "string", bool: "bool", float: "number", list: "array"}.get(type(value), "object")
            raise TypeError(
                f"json: cannot unmarshal {given} into Go struct field {kind}Spec.spec.{name} of type int32"
            )


def _template_of(spec: Json) -> Json:
    template: Json = spec.setdefault("template", {})
    template.setdefault("spec", {})
    return template


def _template_causes(spec: Json) -> list[Cause]:
    template, selector = spec["template"], spec.get("selector")
    labels = labels_of(template)
    causes = validate_labels("spec.template.metadata.labels", labels)
    if not selector:
        causes += [required("spec.selector")]
        if selector is not None:
            causes[-1] = invalid_value("spec.selector", selector, "empty selector is invalid for deployment")
    if selector is None or not matches_selector(selector, labels):
        message = "`selector` does not match template `labels`"
        causes.append(invalid_value("spec.template.metadata.labels", labels, message))
    return causes + validate_pod_spec("spec.template.spec", template["spec"], ("Always",))


def _negative_causes(spec: Json, *names: str) -> list[Cause]:
    return [
        invalid_value(f"spec.{name}", spec[name], NEGATIVE) for name in names if (spec.get(name) or 0) < 0
    ]


def _fixed(new: Json, old: Json, *names: str) -> list[Cause]:
    changed = [name for name in names if new["spec"].get(name) != old["spec"].get(name)]
    return [invalid_value(f"spec.{name}", new["spec"].get(name), IMMUTABLE) for name in changed]


def _strategy_causes(strategy: Json) -> list[Cause]:
    path = "spec.strategy"
    update: Json = strategy.get("rollingUpdate") or {}
    if strategy["type"] not in {"Recreate", "RollingUpdate"}:
        shown = {"Type": strategy["type"], "RollingUpdate": strategy.get("rollingUpdate")}
        return [unsupported(path, shown, ("Recreate", "RollingUpdate"))]
    if strategy["type"] == "Recreate":
        message = "may not be specified when strategy `type` is 'Recreate'"
        return (
            [Cause("FieldValueForbidden", f"{path}.rollingUpdate", f"Forbidden: {message}")] if update else []
        )
    causes = []
    for name in ("maxUnavailable", "maxSurge"):
        value = update[name]
        if isinstance(value, str) and not (value.endswith("%") and value[:-1].isdigit()):
            message = "a valid percent string must be a numeric string followed by an ending '%' (e.g. '1%',  or '93%', regex used for validation is '[0-9]+%')"  # fmt: skip # noqa: E501 - one sentence of the interface
            return [invalid_value(f"{path}.rollingUpdate.{name}", value, message)]
        if int_or_percent(value, 100, round_up=True) < 0:
            causes.append(invalid_value(f"{path}.rollingUpdate.{name}", value, NEGATIVE))
    if not causes and not any(
        int_or_percent(update[n], 100, round_up=True) for n in ("maxUnavailable", "maxSurge")
    ):
        message = "may not be 0 when `maxSurge` is 0"
        causes.append(
            invalid_value(f"{path}.rollingUpdate.maxUnavailable", update["maxUnavailable"], message)
        )
    return causes
