"""One request to a registry: logged in as it asks for, bounded in time and size, its troubles translated.

The token flow is the distribution project's (https://distribution.github.io/distribution/spec/auth/token/): a
registry answers 401 and says where to get a token for what; with it the request is made once more.
"""

from __future__ import annotations

import ssl
import time
from dataclasses import dataclass

import httpx

from workers.registry.challenges import Challenge, challenge_of
from workers.registry.errors import (
    ImageMissingError,
    RegistryAnswerError,
    RegistryBusyError,
    RegistryError,
    RegistryForbiddenError,
    RegistryLoginError,
    RegistryUnreachableError,
)
from workers.registry.logins import Login, Logins
from workers.registry.places import Place

CONNECT_SECONDS = 3.0
READ_SECONDS = 8.0
WHOLE_SECONDS = 20.0
"""How long an answer may take from its first byte to its last."""

TOKEN_BYTES = 65_536
MOST_REDIRECTS = 5


@dataclass(frozen=True)
class Answer:
    """What came back, if it was a success."""

    headers: httpx.Headers
    content: bytes
    next_page: str | None = None


class RegistryHttp:
    """Requests to registries, with the tokens that were got for them."""

    def __init__(self, logins: Logins) -> None:
        """Nothing is connected before the first request. Not for sharing across a fork."""
        self._logins = logins
        self._tokens: dict[Place, str] = {}
        self._client = httpx.Client(
            timeout=httpx.Timeout(READ_SECONDS, connect=CONNECT_SECONDS),
            follow_redirects=True,  # blobs are often kept elsewhere; httpx sends no login there
            max_redirects=MOST_REDIRECTS,
            headers={"User-Agent": "buzzy"},
        )

    def close(self) -> None:
        """Let the connections go."""
        self._client.close()

    def ask(  # noqa: PLR0913 - what a request is made of
        self,
        place: Place,
        path: str,
        *,
        method: str = "GET",
        accept: str = "*/*",
        at_most: int,
        about: str = "",
    ) -> Answer:
        """One request under a repository's own path. `about` is the tag or digest that it is about.

        Raises `RegistryError`s.
        """
        url = path if path.startswith("http") else f"{place.address}/v2/{place.repository}/{path}"
        headers = {"Accept": accept}
        response, content = self._send(place.host, method, url, self._with_token(place, headers), at_most)
        if response.status_code == 401:
            self._log_in(place, challenge_of(response.headers.get_list("www-authenticate")))
            response, content = self._send(place.host, method, url, self._with_token(place, headers), at_most)
        if response.status_code != 200:
            raise self._error(place, response, about)
        return Answer(response.headers, content, response.links.get("next", {}).get("url"))

    # -- logging in --------------------------------------------------------------------------------

    def _with_token(self, place: Place, headers: dict[str, str]) -> dict[str, str]:
        token = self._tokens.get(place)
        return headers if token is None else {**headers, "Authorization": token}

    def _log_in(self, place: Place, challenge: Challenge | None) -> None:
        """Get what the registry asks for. Raises when there is nothing that it would take."""
        login = self._logins.of(place.host)
        match challenge:
            case Challenge(scheme="bearer"):
                self._tokens[place] = f"Bearer {self._token(place, challenge, login)}"
            case Challenge(scheme="basic") if login is not None:
                self._tokens[place] = _basic(login)
            case _:
                raise RegistryLoginError(place.host, place.repository, logged_in=login is not None)

    def _token(self, place: Place, challenge: Challenge, login: Login | None) -> str:
        wanted = challenge.parameters
        realm = wanted["realm"]
        if not realm.startswith("https://") and not (
            realm.startswith("http://") and place.address.startswith("http://")
        ):
            raise RegistryAnswerError(place.host, "an address for logins that is not protected")
        scope = wanted.get("scope") or f"repository:{place.repository}:pull"
        query = {"scope": scope} | ({"service": wanted["service"]} if wanted.get("service") else {})
        try:
            url = str(httpx.URL(realm).copy_merge_params(query))
        except httpx.InvalidURL as error:
            raise RegistryAnswerError(place.host, "an address for logins that is none") from error
        headers = {} if login is None else {"Authorization": _basic(login)}
        response, content = self._send(place.host, "GET", url, headers, TOKEN_BYTES)
        if response.status_code in {400, 401, 403, 404}:
            raise RegistryLoginError(place.host, place.repository, logged_in=login is not None)
        if response.status_code != 200:
            raise self._error(place, response, "")
        try:
            given = httpx.Response(200, content=content).json()
            token = given.get("token") or given.get("access_token")
        except (ValueError, AttributeError) as error:
            raise RegistryAnswerError(place.host, "a login that is none") from error
        if not isinstance(token, str):
            raise RegistryAnswerError(place.host, "a login that is none")
        return token

    # -- one request -------------------------------------------------------------------------------

    def _send(
        self, host: str, method: str, url: str, headers: dict[str, str], at_most: int
    ) -> tuple[httpx.Response, bytes]:
        until = time.monotonic() + WHOLE_SECONDS
        try:
            with self._client.stream(method, url, headers=headers) as response:
                content = b""
                for chunk in response.iter_bytes():
                    content += chunk
                    if len(content) > at_most:
                        raise RegistryAnswerError(host, f"more than the {at_most} bytes that are read")
                    if time.monotonic() >= until:
                        raise RegistryUnreachableError(host, "its answer takes too long")
        except httpx.TooManyRedirects as error:
            raise RegistryAnswerError(host, "one redirect after the other") from error
        except (httpx.HTTPError, httpx.InvalidURL) as error:
            raise RegistryUnreachableError(host, _why(error)) from error
        return response, content

    def _error(self, place: Place, response: httpx.Response, about: str) -> RegistryError:
        match response.status_code:
            case 401:
                known = self._logins.of(place.host) is not None
                return RegistryLoginError(place.host, place.repository, logged_in=known)
            case 403:
                return RegistryForbiddenError(place.host, place.repository)
            case 404:
                return ImageMissingError(place.host, place.repository, about)
            case 429:
                return RegistryBusyError(place.host, _seconds(response.headers.get("Retry-After", "")))
            case code if code >= 500:
                return RegistryUnreachableError(place.host, f"error {code}")
            case code:
                return RegistryAnswerError(place.host, f"code {code}")


def _basic(login: Login) -> str:
    auth = httpx.BasicAuth(login.username, login.password)
    return next(auth.sync_auth_flow(httpx.Request("GET", "http://registry"))).headers["Authorization"]


def _seconds(text: str) -> float:
    return float(text) if text.isdecimal() else 0


def _why(error: Exception) -> str:
    cause: BaseException | None = error
    while cause is not None:
        if isinstance(cause, ssl.SSLError):
            return "its certificate is not accepted"
        cause = cause.__cause__ or cause.__context__
    match error:
        case httpx.TimeoutException():
            return "no answer in time"
        case httpx.ConnectError() if "Name or service" in str(error) or "name resolution" in str(error):
            return "its name is not known"
        case httpx.ConnectError():
            return "connection refused"
        case httpx.InvalidURL() | httpx.UnsupportedProtocol():
            return "its address is none"
        case _:
            return "connection lost"
