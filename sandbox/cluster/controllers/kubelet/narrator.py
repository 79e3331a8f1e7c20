"""What a kubelet tells about its containers, as events in Kubernetes' words."""

from sandbox.cluster.controllers.kubelet.containers import Container
from sandbox.cluster.controllers.kubelet.status import back_off_message, pod_id, pull_failure
from sandbox.cluster.controllers.recorder import Recorder, Source
from sandbox.cluster.objects import Json

PROBE_FAILED = "Readiness probe failed: HTTP probe failed with statuscode: 503"


class Narrator:
    """Writes the events of containers; each method is one thing that happened."""

    def __init__(self, recorder: Recorder) -> None:
        self._recorder = recorder

    def pulling(self, pod: Json, c: Container) -> None:
        """A pull begins."""
        self._normal(pod, c, "Pulling", f'Pulling image "{c.image}"')

    def pulled(self, pod: Json, c: Container) -> None:
        """A pull succeeded."""
        took = "1.204s (1.204s including waiting). Image size: 87412938 bytes."
        self._normal(pod, c, "Pulled", f'Successfully pulled image "{c.image}" in {took}')

    def image_present(self, pod: Json, c: Container) -> None:
        """No pull is needed."""
        self._normal(pod, c, "Pulled", f'Container image "{c.image}" already present on machine')

    def pull_failed(self, pod: Json, c: Container) -> None:
        """The registry does not have the image."""
        self._warning(pod, c, "Failed", f'Failed to pull image "{c.image}": {pull_failure(c.image)}')
        self._warning(pod, c, "Failed", "Error: ErrImagePull")

    def pull_backs_off(self, pod: Json, c: Container) -> None:
        """The next pull waits."""
        self._normal(pod, c, "BackOff", back_off_message(c.image))
        self._warning(pod, c, "Failed", "Error: ImagePullBackOff")

    def started(self, pod: Json, c: Container) -> None:
        """A container was created and started."""
        self._normal(pod, c, "Created", "Container created")
        self._normal(pod, c, "Started", "Container started")

    def start_backs_off(self, pod: Json, c: Container) -> None:
        """The next start waits."""
        said = f"Back-off restarting failed container {c.name} in pod {pod_id(pod)}"
        self._warning(pod, c, "BackOff", said)

    def probe_failed(self, pod: Json, c: Container) -> None:
        """The container does not answer as it should."""
        self._warning(pod, c, "Unhealthy", PROBE_FAILED)

    def killing(self, pod: Json, c: Container) -> None:
        """A container is asked to end."""
        self._normal(pod, c, "Killing", f"Stopping container {c.name}")

    def _normal(self, pod: Json, c: Container, reason: str, said: str) -> None:
        self._recorder.normal(pod, reason, said, _source(pod), f"spec.containers{{{c.name}}}")

    def _warning(self, pod: Json, c: Container, reason: str, said: str) -> None:
        self._recorder.warning(pod, reason, said, _source(pod), f"spec.containers{{{c.name}}}")


def _source(pod: Json) -> Source:
    return Source("kubelet", pod["spec"]["nodeName"])
