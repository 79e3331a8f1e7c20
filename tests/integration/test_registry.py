"""The registry's client against real registries: what a tag is now, which there are, what is in an image."""

from __future__ import annotations

import base64
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from sandbox.registry import push_image, push_index
from tests.integration.registries import (
    ALICE,
    SECRET,
    RunningRegistry,
    TokenServer,
    open_registry,
    password_registry,
    sandbox_registry,
    token_registry,
)
from workers.registry import (
    ImageMissingError,
    Login,
    Logins,
    OciRegistry,
    RegistryLoginError,
    read_logins,
)

MAIN = "buzzybuzz/buzzy-main"


@pytest.fixture(scope="module", params=["real", "sandbox"])
def registry(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[RunningRegistry]:
    """A registry that asks nobody who they are: the real one, and the sandbox's, held to the same."""
    if request.param == "real":
        with open_registry(tmp_path_factory.mktemp("registry")) as running:
            yield running
    else:
        with sandbox_registry() as running:
            yield running


@pytest.fixture
def client(registry: RunningRegistry) -> Iterator[OciRegistry]:
    """Our client of it."""
    made = OciRegistry(registry.url, Logins())
    yield made
    made.close()


@pytest.mark.requirement("V2")
def test_a_tag_is_looked_up_and_named_by_digest(registry: RunningRegistry, client: OciRegistry) -> None:
    """The digest is what was pushed; another push under the same tag is another digest."""
    first = push_image(registry.client, MAIN, "3.2.1", env={"NODE_VERSION": "14.21.3"})
    assert client.digest(MAIN, "3.2.1") == first
    second = push_image(registry.client, MAIN, "3.2.1", env={"NODE_VERSION": "14.21.4"})
    assert first != second
    assert client.digest(MAIN, "3.2.1") == second


@pytest.mark.requirement("V2")
def test_an_image_says_what_is_in_it(registry: RunningRegistry, client: OciRegistry) -> None:
    """Its environment and its labels, read by digest."""
    env, labels = {"NODE_VERSION": "14.21.3", "EMPTY": ""}, {"org.nodejs.version": "14.21.3"}
    digest = push_image(registry.client, MAIN, "3.2.2", env=env, labels=labels)
    configuration = client.configuration(MAIN, digest)
    assert configuration.env == env
    assert configuration.labels == labels
    bare = push_image(registry.client, MAIN, "3.2.3")
    assert dict(client.configuration(MAIN, bare).env) == {}


@pytest.mark.requirement("V2")
def test_a_multi_platform_image_is_pinned_to_its_index(
    registry: RunningRegistry, client: OciRegistry
) -> None:
    """Each node takes its own from the index; what is inside is read from the one for linux/amd64."""
    images = {
        each: push_image(registry.client, MAIN, None, env={"FOR": each}, architecture=each)
        for each in ("arm64", "amd64")
    }
    index = push_index(registry.client, MAIN, "3.2.4", images)
    assert client.digest(MAIN, "3.2.4") == index
    assert client.configuration(MAIN, index).env["FOR"] == "amd64"
    other = push_index(registry.client, MAIN, "3.2.5", {"arm64": images["arm64"]})
    assert client.configuration(MAIN, other).env["FOR"] == "arm64"


@pytest.mark.requirement("V2")
def test_tags_are_listed_page_by_page(
    registry: RunningRegistry, client: OciRegistry, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A repository with more tags than a page has; no page is left out."""
    monkeypatch.setattr("workers.registry.oci.PAGE", 2)
    tags = {f"1.0.{number}" for number in range(5)}
    for tag in tags:
        push_image(registry.client, "buzzybuzz/paged", tag)
    found = client.tags("buzzybuzz/paged")
    assert set(found) == tags
    assert len(found) == len(tags)


@pytest.mark.requirement("V2")
def test_what_is_not_there_is_missing(registry: RunningRegistry, client: OciRegistry) -> None:
    """A tag, a repository, a digest: each is named in the sentence."""
    push_image(registry.client, MAIN, "3.2.1")
    with pytest.raises(ImageMissingError, match=f"has no {MAIN}:9.9.9$"):
        client.digest(MAIN, "9.9.9")
    with pytest.raises(ImageMissingError, match=r"has no buzzybuzz/nothing:1\.0\.0$"):
        client.digest("buzzybuzz/nothing", "1.0.0")
    with pytest.raises(ImageMissingError, match=r"has no buzzybuzz/nothing$"):
        client.tags("buzzybuzz/nothing")
    unknown = f"sha256:{'0' * 64}"
    with pytest.raises(ImageMissingError, match=f"has no {MAIN}@{unknown}$"):
        client.configuration(MAIN, unknown)


@pytest.fixture(scope="module")
def guarded(tmp_path_factory: pytest.TempPathFactory) -> Iterator[RunningRegistry]:
    """A real registry that wants a name and a password."""
    with password_registry(tmp_path_factory.mktemp("guarded")) as running:
        push_image(running.client, MAIN, "3.2.1")
        yield running


@pytest.mark.requirement("V2")
def test_a_password_is_sent_when_it_is_asked_for(guarded: RunningRegistry, tmp_path: Path) -> None:
    """From settings, or from a docker config.json, or from a pull secret mounted as a file."""
    host = guarded.url.removeprefix("http://")
    auth = base64.b64encode(f"{ALICE}:{SECRET}".encode()).decode()
    (tmp_path / "config.json").write_text(json.dumps({"auths": {host: {"auth": auth}}}))
    secret = tmp_path / "secret"
    secret.mkdir()
    entry = {"username": ALICE, "password": SECRET, "email": "a@b.c"}
    (secret / ".dockerconfigjson").write_text(json.dumps({"auths": {f"http://{host}/v2/": entry}}))
    for logins in ({host: Login(ALICE, SECRET)}, read_logins(tmp_path / "config.json"), read_logins(secret)):
        client = OciRegistry(guarded.url, Logins(logins))
        assert client.digest(MAIN, "3.2.1").startswith("sha256:")
        assert client.tags(MAIN) == ("3.2.1",)
        client.close()


@pytest.mark.requirement("V2")
@pytest.mark.parametrize(
    ("login", "says"),
    [(None, "to nobody without a login"), (Login(ALICE, "wrong"), "does not accept Buzzy's login")],
    ids=["none", "wrong"],
)
def test_a_login_that_is_missing_or_wrong_is_said_so(
    guarded: RunningRegistry, login: Login | None, says: str
) -> None:
    """Two sentences, since two different things are to be done; neither has the password in it."""
    known = {} if login is None else {guarded.url: login}
    client = OciRegistry(guarded.url, Logins(known))
    with pytest.raises(RegistryLoginError, match=says) as refused:
        client.digest(MAIN, "3.2.1")
    assert "wrong" not in str(refused.value)
    client.close()


@pytest.fixture(scope="module")
def with_tokens(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[RunningRegistry, TokenServer]]:
    """A real registry that sends everybody to a token server."""
    with token_registry(tmp_path_factory.mktemp("tokens")) as (running, tokens):
        for repository in ("public/buzzy-main", "private/buzzy-main"):
            push_image(running.client, repository, "3.2.1", env={"NODE_VERSION": "14.21.3"})
        yield running, tokens


@pytest.mark.requirement("V2")
def test_a_token_is_got_as_a_stranger_for_what_is_public(
    with_tokens: tuple[RunningRegistry, TokenServer],
) -> None:
    """One token for all that is asked about a repository, for pulling only."""
    running, tokens = with_tokens
    tokens.asked.clear()
    client = OciRegistry(running.url, Logins())
    digest = client.digest("public/buzzy-main", "3.2.1")
    assert client.configuration("public/buzzy-main", digest).env["NODE_VERSION"] == "14.21.3"
    assert client.tags("public/buzzy-main") == ("3.2.1",)
    assert tokens.asked == [("repository:public/buzzy-main:pull", False)]
    with pytest.raises(RegistryLoginError, match="shows private/buzzy-main to nobody without a login"):
        client.digest("private/buzzy-main", "3.2.1")
    client.close()


@pytest.mark.requirement("V2")
def test_a_token_is_got_with_a_password_for_what_is_private(
    with_tokens: tuple[RunningRegistry, TokenServer],
) -> None:
    """The password goes to the token server only; a wrong one is said so."""
    running, tokens = with_tokens
    tokens.asked.clear()
    client = OciRegistry(running.url, Logins({running.url: Login(ALICE, SECRET)}))
    assert client.digest("private/buzzy-main", "3.2.1").startswith("sha256:")
    assert tokens.asked == [("repository:private/buzzy-main:pull", True)]
    client.close()
    wrong = OciRegistry(running.url, Logins({running.url: Login(ALICE, "wrong")}))
    with pytest.raises(RegistryLoginError, match="does not accept Buzzy's login"):
        wrong.digest("private/buzzy-main", "3.2.1")
    wrong.close()
