"""What becomes of what is written: filled in, rehearsed, replaced, owned, deleted."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from sandbox.cluster.seed import SERVICES_OF_BUZZY, deployment_of
from tests.e2e.contracts.things import REVISION, config_map, deployment, job, lease, pod
from tests.e2e.contracts.worlds import JSON_PATCH, Answer, Api, Json, Place, eventually

Seen = Callable[[Any], Any]


def test_version_is_told(api: Api, seen: Seen) -> None:
    """/version has the fields that say which Kubernetes it is, as text."""
    answer = api.ask("GET", "/version")
    assert answer.code == 200
    assert all(isinstance(value, str) for value in answer.body.values())
    known = seen(sorted(set(answer.body) & {"major", "minor", "gitVersion", "platform", "goVersion"}))
    assert known == ["gitVersion", "goVersion", "major", "minor", "platform"]
    assert answer.body["gitVersion"].startswith(
        f"v{answer.body['major']}.{answer.body['minor'].rstrip('+')}."
    )


def test_template_is_filled_in_once(place: Place, seen: Seen) -> None:
    """What is written is filled in with defaults, and is read back equal; writing that changes nothing."""
    body = deployment_of(place.name, SERVICES_OF_BUZZY[0], "3.2.0")
    body["spec"]["paused"] = True
    written = place.make("deployments", body)
    name = written["metadata"]["name"]
    read = place.get("deployments", name)
    assert read["spec"]["template"] == written["spec"]["template"]
    spec = seen(written)["spec"]
    assert spec["progressDeadlineSeconds"] == 600
    assert spec["revisionHistoryLimit"] == 10
    pod_spec = spec["template"]["spec"]
    assert pod_spec["containers"][0]["readinessProbe"]["failureThreshold"] == 3
    assert pod_spec["containers"][0]["imagePullPolicy"] == "IfNotPresent"
    assert (pod_spec["restartPolicy"], pod_spec["terminationGracePeriodSeconds"]) == ("Always", 30)
    patch = [{"op": "replace", "path": "/spec/template", "value": read["spec"]["template"]}]
    again = place.ask("PATCH", "deployments", name, patch, content_type=JSON_PATCH).body
    assert again["spec"]["template"] == read["spec"]["template"]
    assert again["metadata"]["generation"] == read["metadata"]["generation"]


def test_bare_template_is_filled_in(place: Place, seen: Seen) -> None:
    """Quantities, ports, probes, volumes and environment of a rich template get the same defaults."""
    body = deployment(paused=True)
    template = body["spec"]["template"]["spec"]
    template["containers"][0] |= {
        "ports": [{"containerPort": 8080}],
        "env": [{"name": "POD", "valueFrom": {"fieldRef": {"fieldPath": "metadata.name"}}}],
        "envFrom": [{"configMapRef": {"name": "settings"}}],
        "resources": {"limits": {"cpu": "0.5", "memory": "1024Mi"}},
        "livenessProbe": {"httpGet": {"port": 8080}},
        "startupProbe": {"tcpSocket": {"port": 8080}},
        "volumeMounts": [{"name": "files", "mountPath": "/files"}],
        "image": "buzzybuzz/buzzy-main",
    }
    template["volumes"] = [
        {"name": "files", "configMap": {"name": "settings"}},
        {"name": "keys", "secret": {"secretName": "keys"}},
        {"name": "scratch", "emptyDir": {}},
    ]
    template["initContainers"] = [{"name": "first", "image": "a:1"}]
    template["serviceAccountName"] = "default"
    made = place.make("deployments", body)
    spec = seen(made["spec"])["template"]["spec"]
    assert spec["containers"][0]["imagePullPolicy"] == "Always"
    assert spec["containers"][0]["ports"] == [{"containerPort": 8080, "protocol": "TCP"}]
    assert spec["volumes"][0]["configMap"]["defaultMode"] == 420


def _patched(place: Place, *more: Json, **query: str) -> tuple[Json, Answer]:
    """Write another template as the workers do, again when the controller wrote in between."""

    def patched() -> tuple[Json, Answer] | None:
        before = place.get("deployments", "web")
        version = before["metadata"]["resourceVersion"]
        patch = [
            {"op": "replace", "path": "/metadata/resourceVersion", "value": version},
            {"op": "replace", "path": "/spec/template", "value": deployment("3.2.1")["spec"]["template"]},
            *more,
        ]
        kind = {"content_type": JSON_PATCH, "fieldManager": "buzzy"}
        answer = place.ask("PATCH", "deployments", "web", patch, **kind, **query)
        return None if answer.code == 409 else (before, answer)

    return eventually(patched)


def test_patch_replaces_a_template_whole(place: Place, seen: Seen) -> None:
    """Replacing a template drops what the one before had and this one has not."""
    body = deployment(paused=True)
    body["spec"]["template"]["spec"]["containers"][0]["env"] = [{"name": "A", "value": "b"}]
    place.make("deployments", body)
    cause = {"op": "add", "path": "/metadata/annotations/kubernetes.io~1change-cause", "value": "buzzy R1"}
    before, answer = _patched(place, {"op": "add", "path": "/metadata/annotations", "value": {}}, cause)
    assert answer.code == 200
    found = seen({key: answer.body[key] for key in ("metadata", "spec")})
    assert "env" not in found["spec"]["template"]["spec"]["containers"][0]
    assert found["metadata"]["annotations"]["kubernetes.io/change-cause"] == "buzzy R1"
    assert found["metadata"]["generation"] == 2
    assert answer.body["metadata"]["resourceVersion"] != before["metadata"]["resourceVersion"]


def test_rehearsed_patch_changes_nothing(place: Place, seen: Seen) -> None:
    """dryRun=All answers with the Deployment as it would be, and stores nothing."""
    place.make("deployments", deployment(paused=True))
    _, answer = _patched(place, dryRun="All")
    assert answer.code == 200
    rehearsed = seen({key: answer.body[key] for key in ("metadata", "spec")})
    assert rehearsed["metadata"]["generation"] == 2
    assert rehearsed["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.2.1")
    assert rehearsed["spec"]["template"]["spec"]["dnsPolicy"] == "ClusterFirst"
    now = place.get("deployments", "web")
    assert now["metadata"]["generation"] == 1
    assert now["spec"]["template"]["spec"]["containers"][0]["image"].endswith(":3.2.0")


def test_rehearsed_creation_stores_nothing(place: Place, seen: Seen) -> None:
    """dryRun=All of a creation answers 201 with a uid, and there is nothing afterwards."""
    answer = place.ask("POST", "configmaps", body=config_map(), dryRun="All", fieldManager="buzzy")
    assert answer.code == 201
    made = seen(answer.body)
    assert made["immutable"] is True
    assert made["metadata"]["uid"] == "<uid>"
    assert place.ask("GET", "configmaps", "settings").code == 404


def test_rehearsed_creation_of_what_exists_is_refused(place: Place, seen: Seen) -> None:
    """A rehearsal says AlreadyExists as the real thing would."""
    place.make("configmaps", config_map())
    answer = place.ask("POST", "configmaps", body=config_map(), dryRun="All")
    assert (answer.code, seen(answer.body)["reason"]) == (409, "AlreadyExists")


def test_config_map_is_read_as_written(place: Place, seen: Seen) -> None:
    """Data and labels of a ConfigMap come back as they were written."""
    made = place.make("configmaps", config_map(**{"buzzy.json": '{"a": 1}\n', "long": "x" * 5000}))
    read = place.get("configmaps", "settings")
    assert read == made
    assert seen(read)["data"]["buzzy.json"] == '{"a": 1}\n'


def test_lease_is_read_as_written(place: Place, seen: Seen) -> None:
    """A Lease keeps its holder and times to the microsecond."""
    body = lease("one")
    body["spec"]["renewTime"] = "2026-01-02T03:04:05.678901Z"
    place.make("leases", body)
    read = place.get("leases", "release")
    assert read["spec"]["renewTime"] == "2026-01-02T03:04:05.678901Z"
    assert seen(read)["spec"]["holderIdentity"] == "one"


def test_pod_is_filled_in(place: Place, seen: Seen) -> None:
    """A pod gets the fields that planning reads: policy, grace, tolerations, quality of service."""
    made = place.make("pods", pod("web", "3.2.0"))
    spec = {key: value for key, value in made["spec"].items() if key not in {"volumes", "serviceAccount"}}
    spec["containers"] = [{k: v for k, v in c.items() if k != "volumeMounts"} for c in spec["containers"]]
    found = seen({"spec": spec, "phase": made["status"]["phase"], "qos": made["status"]["qosClass"]})
    assert found["spec"]["restartPolicy"] == "Always"
    assert (found["phase"], found["qos"]) == ("Pending", "BestEffort")


def test_job_is_filled_in(place: Place, seen: Seen) -> None:
    """A Job gets a selector, labels and limits of its own."""
    made = seen(place.make("jobs", job("work", "slow")))
    assert made["spec"]["completions"] == made["spec"]["parallelism"] == 1
    assert made["spec"]["selector"]["matchLabels"] == {"batch.kubernetes.io/controller-uid": "<uid>"}


def test_annotations_count_as_a_generation(place: Place, seen: Seen) -> None:
    """A Deployment's generation counts its annotations as well, not its labels."""
    place.make("deployments", deployment(paused=True))
    noted = place.merge("deployments", "web", {"metadata": {"annotations": {"a": "b"}}})
    labelled = place.merge("deployments", "web", {"metadata": {"labels": {"a": "b"}}})
    scaled = place.merge("deployments", "web", {"spec": {"replicas": 0}})
    assert seen([each["metadata"]["generation"] for each in (noted, labelled, scaled)]) == [2, 2, 3]


def test_deletion_answers_and_takes_effect(place: Place, seen: Seen) -> None:
    """Deleting a ConfigMap answers a Status of success that names it, and it is gone."""
    place.make("configmaps", config_map())
    answer = place.remove("configmaps", "settings")
    assert (answer.code, seen(answer.body)["status"]) == (200, "Success")
    assert place.ask("GET", "configmaps", "settings").code == 404


def test_revision_of_a_new_deployment(place: Place, seen: Seen) -> None:
    """The first ReplicaSet is revision 1, and so is its Deployment; a paused Deployment has neither."""
    place.make("deployments", deployment(name="web", replicas=0))
    eventually(lambda: REVISION in place.get("deployments", "web")["metadata"].get("annotations", {}))
    eventually(lambda: place.items("replicasets")[0]["status"].get("observedGeneration"))
    (made,) = place.items("replicasets")
    assert seen(made)["metadata"]["annotations"][REVISION] == "1"
