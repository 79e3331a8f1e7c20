"""The registry's client where a registry misbehaves; where images are; whose login goes where."""

from __future__ import annotations

import asyncio
import json
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from sandbox.serving import Served, serve
from workers.registry import (
    ImageMissingError,
    Login,
    LoginFileError,
    Logins,
    OciRegistry,
    RegistryAnswerError,
    RegistryAwayError,
    RegistryBusyError,
    RegistryError,
    RegistryForbiddenError,
    RegistryLoginError,
    RegistryUnreachableError,
    read_logins,
)
from workers.registry.challenges import challenge_of
from workers.registry.places import HUB, place_of

MAIN = "buzzybuzz/buzzy-main"
MANIFEST = "application/vnd.oci.image.manifest.v1+json"
Answer = Callable[[Request], Response]


@contextmanager
def answering(answer: Answer, login: Login | None = None) -> Iterator[tuple[OciRegistry, Served]]:
    """A registry that answers everything in one way, and our client of it."""

    async def any_path(request: Request) -> Response:
        return answer(request)

    app = Starlette(routes=[Route("/{path:path}", any_path, methods=["GET", "HEAD"])])
    with serve(app) as served:
        client = OciRegistry(served.url, Logins({served.url: login} if login else {}))
        try:
            yield client, served
        finally:
            client.close()


def status(code: int, **headers: str) -> Answer:
    """An answer of that code."""
    return lambda _: Response("{}", code, {name.replace("_", "-"): value for name, value in headers.items()})


@pytest.mark.requirement("V2")
@pytest.mark.parametrize(
    ("answer", "kind", "says"),
    [
        (status(401), RegistryLoginError, "to nobody without a login"),
        (status(403), RegistryForbiddenError, "its login may not pull it"),
        (status(404), ImageMissingError, f"has no {MAIN}:3.2.1"),
        (status(429, Retry_After="7"), RegistryBusyError, "has too much to do"),
        (status(500), RegistryUnreachableError, r"does not answer \(error 500\)"),
        (status(503), RegistryUnreachableError, r"does not answer \(error 503\)"),
        (status(418), RegistryAnswerError, "answers with code 418"),
        (status(200, Content_Type="text/html"), RegistryAnswerError, "a kind of image"),
        (
            status(
                200,
                Content_Type="application/vnd.docker.distribution.manifest.v1+prettyjws",
                Docker_Content_Digest=f"sha256:{'0' * 64}",
            ),
            RegistryAnswerError,
            "that is too old",
        ),
        (
            status(401, WWW_Authenticate='Bearer realm="ftp://tokens",service="s"'),
            RegistryAnswerError,
            "an address for logins that is not protected",
        ),
        (
            lambda request: RedirectResponse(str(request.url)),
            RegistryAnswerError,
            "one redirect after the other",
        ),
    ],
    ids=["401", "403", "404", "429", "500", "503", "418", "no manifest", "schema 1", "odd realm", "circle"],
)
def test_each_trouble_has_its_error_and_its_sentence(
    answer: Answer, kind: type[RegistryError], says: str
) -> None:
    """The type says whether trying again can help; the sentence says which registry it is, and no payload."""
    with answering(answer) as (client, served), pytest.raises(kind, match=says) as raised:
        client.digest(MAIN, "3.2.1")
    assert f"127.0.0.1:{served.port}" in str(raised.value)
    assert isinstance(raised.value, RegistryAwayError) is (
        kind in {RegistryBusyError, RegistryUnreachableError}
    )
    if isinstance(raised.value, RegistryBusyError):
        assert raised.value.retry_after == 7


@pytest.mark.requirement("V2")
def test_a_registry_that_hangs_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    """It counts as one that does not answer, and so may in a moment."""
    monkeypatch.setattr("workers.registry.asking.READ_SECONDS", 0.2)

    async def silent(_: Request) -> Response:
        await asyncio.sleep(30)
        return Response()

    with serve(Starlette(routes=[Route("/{path:path}", silent)])) as served:
        client = OciRegistry(served.url, Logins())
        with pytest.raises(RegistryUnreachableError, match="no answer in time"):
            client.digest(MAIN, "3.2.1")
        client.close()
    client = OciRegistry(served.url, Logins())
    with pytest.raises(RegistryUnreachableError, match="connection refused"):
        client.digest(MAIN, "3.2.1")
    client.close()
    client = OciRegistry("https://registry.invalid", Logins())
    with pytest.raises(RegistryUnreachableError, match=r"registry\.invalid does not answer"):
        client.digest(MAIN, "3.2.1")
    client.close()


@pytest.mark.requirement("V2")
def test_a_registry_that_keeps_the_digest_to_itself_has_to_show_the_manifest() -> None:
    """The digest is computed from what is shown."""
    content = b'{"schemaVersion": 2}'

    def answer(_: Request) -> Response:
        return Response(content, media_type=MANIFEST)

    with answering(answer) as (client, _):
        assert client.digest(MAIN, "3.2.1") == (
            "sha256:c5d902c53b4afcf32ad746fd9d696431650d3fbe8f7b10ca10519543fefd772c"
        )


@pytest.mark.requirement("V2")
def test_content_that_is_not_what_its_digest_names_is_not_believed() -> None:
    """Whoever sits between cannot say what is in an image."""
    told = f"sha256:{'0' * 64}"

    def answer(_: Request) -> Response:
        return Response('{"config": {}}', media_type=MANIFEST, headers={"Docker-Content-Digest": told})

    with (
        answering(answer) as (client, _),
        pytest.raises(RegistryAnswerError, match="not what its digest names"),
    ):
        client.configuration(MAIN, told)


@pytest.mark.requirement("V2")
@pytest.mark.parametrize("content", ["no JSON", "[1]"], ids=["text", "a list"])
def test_something_else_in_a_registrys_place_is_said_so(content: str) -> None:
    """A proxy's page, for instance."""
    with (
        answering(lambda _: Response(content)) as (client, _),
        pytest.raises(RegistryAnswerError, match="JSON"),
    ):
        client.tags(MAIN)


@pytest.mark.requirement("V2")
def test_an_answer_without_an_end_is_left(monkeypatch: pytest.MonkeyPatch) -> None:
    """No more is read than an answer may have."""
    monkeypatch.setattr("workers.registry.oci.TAGS_BYTES", 1000)
    with (
        answering(lambda _: Response("x" * 2000)) as (client, _),
        pytest.raises(RegistryAnswerError, match="more"),
    ):
        client.tags(MAIN)


@pytest.mark.requirement("V2")
def test_a_login_stays_with_its_registry() -> None:
    """Neither where it redirects to, nor where its list of tags goes on, is told the password."""
    told: list[str | None] = []

    def elsewhere(request: Request) -> Response:
        told.append(request.headers.get("authorization"))
        return JSONResponse({"tags": ["2.0.0"]})

    with answering(elsewhere) as (_, other):

        def answer(request: Request) -> Response:
            if "authorization" not in request.headers:
                return Response(status_code=401, headers={"WWW-Authenticate": 'Basic realm="r"'})
            if request.url.path.endswith("/tags/list"):
                link = f'<{other.url}/v2/{MAIN}/tags/list?last=1>; rel="next"'
                return JSONResponse({"tags": ["1.0.0"]}, headers={"Link": link})
            return RedirectResponse(f"{other.url}/elsewhere")

        with answering(answer, Login("alice", "secret")) as (client, _):
            assert client.tags(MAIN) == ("1.0.0",)
            assert told == []
            with pytest.raises(RegistryAnswerError):
                client.digest(MAIN, "3.2.1")
    assert set(told) == {None}


@pytest.mark.parametrize(
    ("image", "registry", "address", "repository"),
    [
        ("buzzybuzz/main", "https://registry.example.com", "https://registry.example.com", "buzzybuzz/main"),
        ("main", "https://registry.example.com", "https://registry.example.com", "main"),
        (
            "registry.example.com/a/main",
            "https://registry.example.com",
            "https://registry.example.com",
            "a/main",
        ),
        ("localhost:5000/a/main", "http://localhost:5000", "http://localhost:5000", "a/main"),
        ("ghcr.io/a/main", "https://registry.example.com", "https://ghcr.io", "a/main"),
        ("buzzybuzz/main", "https://docker.io", f"https://{HUB}", "buzzybuzz/main"),
        ("node", "https://docker.io", f"https://{HUB}", "library/node"),
        ("docker.io/node", "https://index.docker.io", f"https://{HUB}", "library/node"),
        ("docker.io/node", "https://registry.example.com", f"https://{HUB}", "library/node"),
    ],
)
def test_an_image_is_where_a_node_would_look_for_it(
    image: str, registry: str, address: str, repository: str
) -> None:
    """The naming rules of container runtimes, with the configured registry in Docker Hub's place."""
    place = place_of(image, registry)
    assert (place.address, place.repository) == (address, repository)


def test_a_challenge_is_read_as_it_is_written() -> None:
    """Commas in quotes, capital letters, schemes that cannot be met."""
    header = 'Bearer realm="https://auth/token",service="r.io",scope="repository:a/b:pull,push"'
    found = challenge_of(["Negotiate", header])
    assert found is not None
    assert found.scheme == "bearer"
    assert found.parameters["scope"] == "repository:a/b:pull,push"
    assert challenge_of(['BASIC realm="r"']) is not None
    assert challenge_of(["Negotiate", "Bearer"]) is None
    assert challenge_of([]) is None


@pytest.mark.requirement("V2")
@pytest.mark.parametrize(
    ("name", "content", "hosts"),
    [
        ("config.json", {"auths": {"https://index.docker.io/v1/": {"auth": "YTpi"}}}, [HUB]),
        (".dockerconfigjson", {"auths": {"r.io": {"username": "a", "password": "b"}}}, ["r.io"]),
        (".dockercfg", {"https://r.io": {"auth": "YTpi", "email": "x"}}, ["r.io"]),
        ("config.json", {"auths": {"r.io": {}}, "credsStore": "desktop"}, []),
    ],
    ids=["docker", "pull secret", "old pull secret", "kept by a helper"],
)
def test_logins_are_read_as_docker_and_kubernetes_write_them(
    tmp_path: Path, name: str, content: object, hosts: list[str]
) -> None:
    """The folder in which a secret is mounted will do; passwords are in no `repr`."""
    (tmp_path / name).write_text(json.dumps(content))
    found = read_logins(tmp_path)
    assert [Logins(found).of(host) for host in hosts] == [Login("a", "b")] * len(hosts)
    assert Logins(found).of("other.io") is None
    assert not any("'b'" in repr(each) for each in found.values())


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("{", "is no JSON"),
        ("[]", "is no docker config.json"),
        ('{"credsStore": "desktop"}', "kept by a credential helper"),
        ('{"auths": {"r.io": {"auth": "\\u00e9"}}}', "no base64"),
        (None, "cannot be read"),
    ],
)
def test_a_file_of_logins_that_is_none_is_said_so(tmp_path: Path, text: str | None, says: str) -> None:
    """In a sentence without anything from the file."""
    file = tmp_path / "config.json"
    if text is not None:
        file.write_text(text)
    with pytest.raises(LoginFileError, match=says):
        read_logins(file)
