"""What an image does when it runs, told by its tag: a table of deeds and misdeeds.

A tag says it itself (`3.2.2-crash`), or a table says it of a tag that looks like any other
(`{"3.3.0": "crash"}`), as a bad version does in life.
"""

from dataclasses import dataclass, replace

CRASH_CODE, OOM_CODE = 1, 137


@dataclass(frozen=True)
class Behaviour:
    """The life of a container, in seconds at speed 1."""

    name: str
    ready_after: float | None = 0.4
    """From its start to its readiness; None is never."""
    ends_after: float | None = None
    """From its start to its end; None runs for ever."""
    exit_code: int = 0
    unready_after: float | None = None
    """From its start until the probe fails again."""
    pullable: bool = True
    out_of_memory: bool = False

    @property
    def end_reason(self) -> str:
        """What the kubelet calls the end."""
        if self.out_of_memory:
            return "OOMKilled"
        return "Completed" if self.exit_code == 0 else "Error"


READY = Behaviour("ready")
BEHAVIOURS = {
    behaviour.name: behaviour
    for behaviour in (
        READY,
        Behaviour("never-ready", ready_after=None),
        Behaviour("crash", ready_after=None, ends_after=0.5, exit_code=CRASH_CODE),
        Behaviour("missing", pullable=False),
        Behaviour("slow", ready_after=8.0),
        Behaviour("oom", ends_after=1.5, exit_code=OOM_CODE, out_of_memory=True),
        Behaviour("flaky", unready_after=6.0),
        Behaviour("succeed", ends_after=0.5),
        Behaviour("fail", ready_after=None, ends_after=0.5, exit_code=CRASH_CODE),
    )
}


class Behaviours:
    """Finds the behaviour of an image; the table can be changed while the cluster runs."""

    def __init__(self, table: dict[str, str] | None = None) -> None:
        self._table: dict[str, str] = {}
        self.set(table or {})

    @property
    def table(self) -> dict[str, str]:
        """What was set, by tag, digest or whole image."""
        return dict(self._table)

    def set(self, table: dict[str, str]) -> None:
        """Say how images behave from their next start on; keys are tags, digests or whole images.

        Raises:
            ValueError: A behaviour that does not exist.
        """
        for name in table.values():
            if name not in BEHAVIOURS:
                raise ValueError(f"there is no behaviour {name!r}; there are: {', '.join(BEHAVIOURS)}")
        self._table |= table

    def forget(self) -> None:
        """Let tags speak for themselves again."""
        self._table.clear()

    def of(self, image: str, *, runs_once: bool) -> Behaviour:
        """Return how a container of an image behaves; one that is to run once comes to an end by itself."""
        tag, digest = tag_of(image), image.partition("@")[2]
        named = next((self._table[key] for key in (image, digest, tag) if key in self._table), None)
        behaviour = BEHAVIOURS[named] if named else _from_tag(tag)
        if runs_once and behaviour.ends_after is None and behaviour.name != "never-ready":
            seconds = 8.0 if behaviour.name == "slow" else 0.5
            return replace(behaviour, ends_after=seconds)
        return behaviour


def tag_of(image: str) -> str:
    """Return an image's tag, `latest` when it has none."""
    name = image.partition("@")[0].rpartition("/")[2]
    return name.partition(":")[2] or "latest"


def _from_tag(tag: str) -> Behaviour:
    """Find the behaviour that a tag ends with; the longest, since `never-ready` ends with `ready`."""
    named = [name for name in BEHAVIOURS if tag == name or tag.endswith(f"-{name}")]
    return BEHAVIOURS[max(named, key=len)] if named else READY
