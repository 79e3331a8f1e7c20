"""A whole release while the workspace is down, from terminals, with real bot, worker and cluster."""

from __future__ import annotations

from collections.abc import Callable

import pytest
import yaml

from tests.e2e.houses import CHANNELS, PATIENCE, House
from tests.integration.bot_house import eventually
from tests.integration.operators import OPERATORS, Said, do, typing

OpenHouse = Callable[..., House]


def knows_approvers(house: House) -> bool:
    """Whether the bot has kept who may approve, for when Slack is away."""
    return any(call["ok"] for call in house.workspace.calls("usergroups.users.list"))


@pytest.mark.requirement("X10", "C10", "Q1")
def test_a_release_from_terminals_while_slack_is_down(open_house: OpenHouse) -> None:
    """Asked for, approved and followed to its end; Slack is told when it is back, once and in order."""
    house = open_house("staging")
    eventually(lambda: knows_approvers(house), "the bot has read who approves", seconds=PATIENCE)
    config = house.folder / "with-operators.yaml"
    known = yaml.safe_load(house.config.read_text()) | yaml.safe_load(OPERATORS)
    config.write_text(yaml.safe_dump(known, sort_keys=False))
    env = house.settings | {"BUZZY_CONFIG": str(config)}
    house.workspace.fail("*", cut="before", times=10**6)
    house.workspace.drop_connections()
    with typing("alice", 'release 3.2.1 staging --reason "slack is down"', env) as asked:
        eventually(lambda: "buzzy do 'approve R1'" in asked.out, "it waits for approval", seconds=PATIENCE)
        refused = do("dan", "approve R1", env)
        assert (refused.code, "approved by others" in refused.err) == (3, True), refused
        approved = do("bob", "approve R1", env)
        assert approved.code == 0, approved
        said: Said = asked.end()
    assert said.code == 0, said
    assert "🟢" in said.out
    assert set(house.images("staging").values()) == {"3.2.1"}
    assert house.alice.messages(CHANNELS["staging"]) == []
    house.workspace.stop_failing()
    message = house.alice.wait_for_message(CHANNELS["staging"], "R1 ·", timeout=PATIENCE)
    house.until(message, "🟢")
    thread = house.told(message, "released in")
    assert "asked for buzzy 3.2.1 from the command line" in thread
    assert "from the command line · 1 of 1" in thread
    steps = [line.split(" ")[1] for line in thread.splitlines() if line.startswith("✔️")]
    assert steps == [f"{number}/6" for number in range(1, 7)]
    assert len(house.alice.messages(CHANNELS["staging"])) == 1
