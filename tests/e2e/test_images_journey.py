"""From Slack to the pods: what runs is what was looked up, if it fits and was ticked."""

from __future__ import annotations

import re
from collections.abc import Callable

import httpx
import pytest

from sandbox.registry import push_image
from tests.e2e.houses import CHANNELS, PATIENCE, House

OpenHouse = Callable[..., House]
pytestmark = pytest.mark.timeout(240)


@pytest.mark.requirement("V2", "D1", "D4")
def test_a_release_runs_what_was_looked_up(open_house: OpenHouse) -> None:
    """Pinned in the pod templates, read as the version that it is, and gone back from."""
    house = open_house("staging", registry=True)
    with httpx.Client(base_url=house.registry_url) as client:
        digest = push_image(client, "buzzybuzz/buzzy-api", "3.2.1", env={"NODE_VERSION": "14.21.1"})
    message = house.released("/buzzy release 3.2.1 staging", "staging", house.bob)
    assert set(house.images("staging").values()) == {"3.2.1"}
    container = house.deployments("staging")["buzzy-api"]["spec"]["template"]["spec"]["containers"][0]
    assert container["image"] == f"buzzybuzz/buzzy-api:3.2.1@{digest}"
    thread = house.thread(message)
    assert f"buzzy-api {digest[:19]}" in thread
    assert re.search(r"✅ compatible · MongoDB 4[.]4[.]29.*Kubernetes v1[.]", thread)
    back = house.released("/buzzy rollback staging", "staging", house.bob)
    assert "3.2.1 → 3.2.0" in back.shown
    assert set(house.images("staging").values()) == {"3.2.0"}


@pytest.mark.requirement("V2", "V6")
def test_what_is_not_there_or_does_not_fit_is_refused_in_the_channel(open_house: OpenHouse) -> None:
    """Before anything is touched: which image and which are near; which row, what it needs, what runs."""
    house = open_house("staging", registry=True)
    before = house.images("staging")
    message = house.ask("/buzzy release 3.2.9 staging", "staging")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "There is no image buzzybuzz/buzzy-main:3.2.9, buzzybuzz/buzzy-api:3.2.9" in shown
    assert "3.2.2" in shown
    message = house.ask("/buzzy release 4.0.0 staging", "staging")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "it needs Node.js 18.x, and the image of buzzy-main, buzzy-api" in shown
    assert "The row 4.x of compatibility" in shown
    message = house.ask("/buzzy release 4.1.0 staging", "staging")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "4.1.0 does not run with what is there: it needs MongoDB >=5.0, and 4.4.29 runs" in shown
    assert house.images("staging") == before


@pytest.mark.requirement("D1")
def test_production_waits_for_a_word_about_the_release_notes(open_house: OpenHouse) -> None:
    """Approved by two, it starts when somebody who may has ticked."""
    house = open_house("production", registry=True)
    message = house.ask("/buzzy release 3.2.1 production", "production")
    house.until(message, "waiting for 2 of 2 approvals and 1 tick")
    house.bob.react(message, "white_check_mark")
    house.carol.react(message, "white_check_mark")
    house.until(message, "waiting for 1 tick")
    house.bob.click(message, "☑ release notes read")
    house.until(message, "🟢")
    assert set(house.images("production").values()) == {"3.2.1"}


@pytest.mark.requirement("V3")
def test_a_release_switches_to_its_files_and_a_rollback_back(open_house: OpenHouse) -> None:
    """They lie beside buzzy.yaml; the plan says which of them change, the pods find them in their folder."""
    files = {"folder": "config/{version}", "at": "/etc/buzzy/files"}
    house = open_house("development", rules={"development": {"files": files}})
    folder = house.config.parent / "config"
    for version, mode in (("3.2.1", "old"), ("3.3.0", "new")):
        (folder / version).mkdir(parents=True)
        (folder / version / "routes.json").write_text(f'{{"mode": "{mode}"}}')
    (folder / "3.3.0" / "logo.png").write_bytes(b"\xff\xd8\x00")

    house.released("/buzzy release 3.2.2 development", "development")
    old = mounted(house)
    house.alice.command("/buzzy plan 3.3.0 development", CHANNELS["development"])
    plan = house.alice.wait_for_ephemeral(CHANNELS["development"], "logo.png", timeout=PATIENCE)
    assert "2 files, from config/3.3.0" in plan
    assert "+ logo.png" in plan
    assert "~ routes.json" in plan
    house.released("/buzzy release 3.3.0 development", "development")
    new = mounted(house)
    assert new != old
    house.released("/buzzy rollback development", "development")
    assert mounted(house) == old
    message = house.ask("/buzzy release 4.1.0 development", "development")
    shown = house.until(message, "cannot be done, nothing was changed").shown
    assert "There are no files for 4.1.0 in config: it has those of 3.2.1, 3.3.0" in shown


def mounted(house: House) -> str:
    """The ConfigMap whose files the services find in their folder, all the same."""
    specs = [each["spec"]["template"]["spec"] for each in house.deployments("development").values()]
    (name,) = {volume["configMap"]["name"] for spec in specs for volume in spec["volumes"]}
    paths = {mount["mountPath"] for spec in specs for mount in spec["containers"][0]["volumeMounts"]}
    assert paths == {"/etc/buzzy/files"}
    return str(name)
