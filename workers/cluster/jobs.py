"""Jobs: one pod, one container, one attempt. Written, stopped, followed to their end."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from kubernetes import client

from workers.cluster import following, parse
from workers.cluster.asking import MANAGER, Listing, ask
from workers.cluster.following import Following
from workers.cluster.port import JobWrite
from workers.cluster.reader import Source
from workers.cluster.seen import JobPicture, JobSeen, Json
from workers.cluster.translate import Request

LABEL = "buzzy/job"
"""On a Job's pods, with its name: what finds them. Kubernetes' own label has had two names."""

CONTAINER = "task"


def body(write: JobWrite) -> Json:
    """What is sent to create it."""
    container: Json = {
        "name": CONTAINER,
        "image": write.image,
        "env": [{"name": name, "value": value} for name, value in write.env.items()],
        "envFrom": [{"secretRef": {"name": name}} for name in write.secrets],
        # A container that says nothing itself before it fails lets its last lines speak for it.
        "terminationMessagePolicy": "FallbackToLogsOnError",
    }
    if write.command:
        container["command"] = list(write.command)
    if write.args:
        container["args"] = list(write.args)
    pod: Json = {"restartPolicy": "Never", "containers": [container]}
    if write.service_account is not None:
        pod["serviceAccountName"] = write.service_account
    labels = {**write.labels, LABEL: write.name}
    return {
        "apiVersion": "batch/v1",
        "kind": "Job",
        "metadata": {"name": write.name, "labels": labels},
        "spec": {
            "backoffLimit": 0,
            "activeDeadlineSeconds": int(write.deadline.total_seconds()),
            "ttlSecondsAfterFinished": int(write.keep.total_seconds()),
            "template": {"metadata": {"labels": labels}, "spec": pod},
        },
    }


class JobCalls:
    """What a cluster is asked about Jobs."""

    def __init__(self, api: client.ApiClient) -> None:
        """Nothing is connected before the first call."""
        self._batch = client.BatchV1Api(api)
        self._core = client.CoreV1Api(api)

    def job(self, namespace: str, name: str) -> JobSeen:
        """A Job."""
        request = Request("get", "batch/jobs", namespace, name)
        return parse.job(ask(request, self._batch.read_namespaced_job, name, namespace))

    def create_job(self, namespace: str, write: JobWrite, *, rehearse: bool = False) -> JobSeen:
        """Create a Job."""
        answer = ask(
            Request("create", "batch/jobs", namespace, write.name),
            self._batch.create_namespaced_job,
            namespace,
            body(write),
            field_manager=MANAGER,
            dry_run="All" if rehearse else None,
        )
        return parse.job(answer)

    def stop_job(self, namespace: str, name: str) -> None:
        """Let a Job fail within a second: its time is up. One that was deleted could be created again."""
        ask(
            Request("patch", "batch/jobs", namespace, name),
            self._batch.patch_namespaced_job,
            name,
            namespace,
            {"spec": {"activeDeadlineSeconds": 1}},
            field_manager=MANAGER,
            _content_type="application/merge-patch+json",
        )

    @contextmanager
    def follow_job(self, namespace: str, name: str) -> Iterator[Iterator[JobPicture]]:
        """What is known of a Job and its pods."""
        itself = {"field_selector": f"metadata.name={name}"}
        its_own = {"label_selector": f"{LABEL}={name}"}
        sources: dict[str, Source] = {
            "jobs": Listing(
                Request("watch", "batch/jobs", namespace), self._batch.list_namespaced_job, itself
            ),
            "pods": Listing(Request("watch", "pods", namespace), self._core.list_namespaced_pod, its_own),
        }
        with Following(sources, following.job) as pictures:
            yield iter(pictures)
