"""What is said about a `buzzy.yaml` that cannot be used: each problem once, never a value from the file."""

from __future__ import annotations

from datetime import date
from pathlib import Path

import pytest
import yaml
from hypothesis import given, settings
from hypothesis import strategies as st
from pydantic import BaseModel, ValidationError

from releases.config import Config, ConfigError, parse_config
from releases.config.problems import explain

EXAMPLE = (Path(__file__).parents[2] / "deploy" / "buzzy.example.yaml").read_text(encoding="utf-8")

SMALL = """\
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
"""

CHANNEL_ID = "must be the id of a channel, which Slack shows at the end of the channel's details"
DNS_LABEL = "must be lower-case letters, digits and dashes (at most 63), with no dash at its ends"


def with_staging(*lines: str) -> str:
    """The small file with more lines in its environment."""
    return SMALL + "".join(f"    {line}\n" for line in lines)


def problems(text: str) -> list[str]:
    """The lines that are said about a file."""
    with pytest.raises(ConfigError) as caught:
        parse_config(text)
    assert len(str(caught.value).splitlines()) == len(caught.value.problems)
    return str(caught.value).splitlines()


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("aproval: {}", "aproval: is not known here; did you mean approval?"),
        (
            "backups: {}",
            (
                "backups: is not known here; known here: cluster, namespace, channel, strategy, strategies, "
                "blue_green, services, approval, grace, requires, permissions, follows, after, latest, "
                "smaller, audience, alerts, configuration, files, mongodb, database, not_known, checklist, "
                "before, validate, prerelease, time_zone, freezes, shared, history, "
                "prometheus, monitor, on_failure"
            ),
        ),
        ("approval:", "approval: is empty: write a value, or leave the line out"),
        ("approval: {quorum: 0, from: [S0A]}", "approval.quorum: must be at least 1; such as 2"),
        ("approval: {quorum: two, from: [S0A]}", "approval.quorum: must be a whole number; such as 2"),
        ("approval: {quorum: 1}", "approval.from: is missing; write from: [S0APPROVERS]"),
        ("approval: {quorum: 1, from: []}", "approval.from: must not be empty; such as [S0APPROVERS]"),
        (
            "approval: {quorum: 1, from: ['@bob']}",
            (
                "approval.from[0]: must be the id of a person (U… or W…) or of a user group (S…); "
                "such as S0APPROVERS"
            ),
        ),
        (
            "approval: {quorum: 1, from: [S0A], own_release: perhaps}",
            "approval.own_release: must be true or false; such as false",
        ),
        (
            "approval: {quorum: 1, from: [S0A], expires: 90}",
            "approval.expires: needs a unit, such as 90s or 90m",
        ),
        (
            "approval: {quorum: 3, from: [U1, U2, U2]}",
            (
                "approval.quorum: can never be reached: only 2 people may approve; "
                "write 2 or fewer, or add approvers"
            ),
        ),
        (
            "approval: {quorum: 2, from: [U1]}",
            (
                "approval.quorum: can never be reached: only 1 person may approve; "
                "write 1 or fewer, or add approvers"
            ),
        ),
        (
            "approval: {quorum: 1, from: [U1, U2], major: {quorum: 3}}",
            (
                "approval.major.quorum: can never be reached: only 2 people may approve; "
                "write 2 or fewer, or add approvers"
            ),
        ),
        (
            "approval: {quorum: 2, from: [S0A], hotfix: {from: [U1]}}",
            (
                "approval.hotfix.quorum: can never be reached: only 1 person may approve; "
                "write 1 or fewer, or add approvers"
            ),
        ),
        (
            "approval: {quorum: 1, from: [S0A], urgent: {quorum: 1}}",
            (
                "approval.urgent: is not known here; known here: quorum, from, own_release, expires, remind, "
                "escalate, major, minor, patch, hotfix, security"
            ),
        ),
        (
            "approval: {quorum: 1, from: [S0A], remind: 4h}",
            "approval.remind: comes after the release has expired, at 4h; write less, or off",
        ),
        (
            "approval: {quorum: 1, from: [S0A], remind: 2h, hotfix: {expires: 1h}}",
            "approval.hotfix.remind: comes after the release has expired, at 1h; write less, or off",
        ),
        (
            "approval: {quorum: 1, from: [S0A], security: {escalate: 1h}}",
            "approval.security.escalate: needs somebody to tell; write alerts, or leave it out",
        ),
        (
            "approval: {quorum: 1, from: [S0A], escalate: never}",
            (
                "approval.escalate: is no length of time: it takes days, hours, minutes and seconds, "
                "such as 1h30m"
            ),
        ),
        ("grace: 10", "grace: needs a unit, such as 10s or 10m"),
        (
            "approval: {quorum: 1, from: [S0A], major: {quorum: -1}}",
            "approval.major.quorum: must be at least 0; such as 3",
        ),
        ("requires: {soak: 24h}", "requires.proven_in: is missing; write proven_in: staging"),
        (
            "requires: {proven_in: staging}",
            "requires.proven_in: is the environment itself; leave it out",
        ),
        (
            "requires: {proven_in: stag}",
            "requires.proven_in: is no environment of this file; the others are none",
        ),
        (
            "requires: {proven_in: staging, soak: 24}",
            "requires.soak: needs a unit, such as 24s or 24m",
        ),
        (
            "requires: {proven_in: staging, soak: 1h, hotfix: {}}",
            "requires.hotfix.soak: is missing; write soak: 1h",
        ),
        (
            "permissions: {relase: {from: [S0A]}}",
            "permissions.relase: is not known here; did you mean release?",
        ),
        (
            "permissions: {release: {}}",
            (
                "permissions.release: limits nothing: write from: [S0RELEASERS] or in: [C0RELEASES], "
                "or leave it out"
            ),
        ),
        (
            "permissions: {release: {from: [alice]}}",
            (
                "permissions.release.from[0]: must be the id of a person (U… or W…) or of a user group (S…); "
                "such as S0RELEASERS"
            ),
        ),
        (
            "permissions: {abort: {in: ['#ops']}}",
            f"permissions.abort.in[0]: {CHANNEL_ID}; such as C0RELEASES",
        ),
        ("after: 24h", "after: belongs to follows; write which environment it follows"),
        ("smaller: true", "smaller: is about standbys; write which environment it follows, or leave it out"),
        (
            "files: {folder: 'config/{version}', at: etc}",
            (
                "files.at: must be a path from / on, of letters, digits, dots, dashes and underscores; "
                "such as /etc/buzzy/files"
            ),
        ),
        *(
            (
                f"files: {{folder: '{folder}', at: /etc}}",
                "files.folder: needs one folder of its path to be {version}, such as config/{version}",
            )
            for folder in ("config", "config/v{version}", "{version}/{version}", "config/{name}")
        ),
        *(
            (
                f"files: {{folder: '{folder}', at: /etc}}",
                "files.folder: must be a folder beside buzzy.yaml, such as config/{version}",
            )
            for folder in ("/config/{version}", "../{version}")
        ),
        ("latest: newest", "latest: is no range of versions, such as 3.2.x"),
        (
            "latest: 3.x",
            "latest: needs a registry to look into; write registry at the top of the file",
        ),
        ("audience: ['#all']", f"audience[0]: {CHANNEL_ID}; such as C0GENERAL"),
        (
            "audience: [C0STAGING]",
            "audience[0]: is the environment's own channel, which sees all of it; leave it out",
        ),
        ("audience: [C0A, C0A]", "audience[1]: is in the list already; leave it out"),
        ("strategy: canary", "strategy: must be rolling or blue-green"),
        (
            "alerts: C0ONCALL",
            "alerts: must have keys of its own, indented below it; such as {critical: C0ONCALL}",
        ),
        ("alerts: {critical: '#oops'}", f"alerts.critical: {CHANNEL_ID}; such as C0ONCALL"),
        ("configuration: {A: [1, 2]}", "configuration.A: must be one text value; such as info"),
        ("configuration: {A: {B: 1}}", "configuration.A: must be one text value; such as info"),
        (
            "configuration: {1A: x}",
            (
                "configuration.1A: must be the name of a variable: letters, digits and underscores; "
                "such as LOG_LEVEL"
            ),
        ),
        (
            f"configuration: {{A: {'x' * 1_100_000}}}",
            "configuration: is larger than the 1 MiB that Kubernetes can store; make it smaller",
        ),
        ("services: [buzzy-mian]", "services[0]: is no service of this file; did you mean buzzy-main?"),
        ("services: [x]", "services[0]: is no service of this file; the services are buzzy-main, buzzy-api"),
        ("services: [buzzy-api, buzzy-api]", "services[1]: is in the list already; leave it out"),
        ("services: []", "services: must not be empty; such as [buzzy-main]"),
        ("history: 0", "history: must be at least 1; such as 10"),
        ("cluster: {context: ''}", "cluster.context: must not be empty; such as staging"),
    ],
    ids=lambda text: text[:40],
)
def test_problems_of_an_environment(line: str, said: str) -> None:
    """One problem is one line with its path, what is wrong and what to write instead; and no other line."""
    assert problems(with_staging(line)) == [f"environments.staging.{said}"]


@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        ("C0STAGING", "'#staging'", f"environments.staging.channel: {CHANNEL_ID}; such as C0STAGING"),
        (
            "namespace: buzzy-staging",
            "namespace: Buzzy_Staging",
            f"environments.staging.namespace: {DNS_LABEL}; such as buzzy-staging",
        ),
        ("  staging:", "  Staging:", f"environments.Staging: {DNS_LABEL}; such as staging"),
        (
            "  staging:",
            "  production: {namespace: buzzy-staging, channel: C0RELEASES}\n  staging:",
            (
                "environments.staging.namespace: is the namespace of production as well; "
                "give each environment its own"
            ),
        ),
        (
            "name: buzzy-api",
            "name: buzzy-main, deployment: other",
            "services[1].name: is the name of services[0] as well; give each service its own",
        ),
        (
            "name: buzzy-api",
            "name: buzzy-api, deployment: buzzy-main",
            "services[1].deployment: is the deployment of services[0] as well; give each service its own",
        ),
        (
            "buzzybuzz/buzzy-api",
            "'buzzybuzz/buzzy-api:3.2.1'",
            "services[1].image: has a tag or digest: leave it out, the version that is released is the tag",
        ),
        (
            "buzzybuzz/buzzy-api",
            "Buzzy API",
            "services[1].image: is no image repository, such as buzzybuzz/buzzy-main",
        ),
        ("buzzy-api}", "buzzy-api, prot: 1}", "services[1].prot: is not known here; did you mean port?"),
        ("buzzy-api}", "buzzy-api, port: 0}", "services[1].port: must be at least 1; such as 8080"),
        (
            "buzzy-api}",
            "buzzy-api, health: health}",
            "services[1].health: must be a path that starts with /; such as /health",
        ),
        ("name: buzzy-api, ", "", "services[1].name: is missing; write name: buzzy-main"),
        (
            "{name: buzzy-api, image: buzzybuzz/buzzy-api}",
            "buzzy-api",
            (
                "services[1]: must have keys of its own, indented below it; "
                "such as {name: buzzy-main, image: buzzybuzz/buzzy-main}"
            ),
        ),
    ],
    ids=lambda text: text.replace("\n", " ")[:40],
)
def test_problems_of_the_rest(right: str, wrong: str, said: str) -> None:
    """The same for everything that stands around an environment's lines."""
    assert problems(SMALL.replace(right, wrong)) == [said]


@pytest.mark.parametrize(
    "text", ["", "# only a comment\n", "- a\n", "a"], ids=["nothing", "comment", "list", "word"]
)
def test_a_file_without_keys(text: str) -> None:
    """Somebody with an empty file, or no configuration at all, is shown where to start."""
    (line,) = problems(text)
    assert line.startswith("the file: ")
    assert line.endswith("; start from deploy/buzzy.example.yaml")


def test_every_problem_is_named_at_once() -> None:
    """Nobody has to run the check again to see the next problem."""
    text = with_staging("strategy: canary", "histry: 5").replace("C0STAGING", "staging")
    assert [line.split(":")[0] for line in problems(text)] == [
        "environments.staging.channel",
        "environments.staging.strategy",
        "environments.staging.histry",
    ]


def test_every_key_that_is_there_twice_is_named() -> None:
    """YAML would let the last one win, and nobody would know; here both places are named."""
    assert problems("a: 1\na: 2\nb: {c: 1, c: 2}\n") == [
        "line 2, column 1: the key a is there twice, first on line 1; keep one of them",
        "line 3, column 11: the key c is there twice, first on line 3; keep one of them",
    ]


@pytest.mark.parametrize(
    ("text", "where", "what", "fix"),
    [
        ("a: b: c\n", (1, 5), "a colon where none can be", "put text that has a colon in it into quotes"),
        ("a:\n\tb: 1\n", (2, 1), "a tab", "indent with spaces"),
        ("a: @b\n", (1, 4), "a character that no text starts with", "put the text into quotes"),
        ('a: "b\n', (2, 1), "the file ends too early", "close the quotation mark that is open"),
        (
            "a: [1, 2\n",
            (2, 1),
            "a bracket is not closed",
            "write commas between items, and a bracket at the end",
        ),
        ("a: 1\nb\nc: 1\n", (3, 1), "a key without a colon", "write a colon and a space behind it"),
        ("- a\nb: 1\n", (2, 1), "this does not belong to the lines above", "check the indentation"),
        ("a: !secret b\n", (1, 4), "tags have no meaning here", "leave out the word after the !"),
        ("a: 1\n---\nb: 1\n", (2, 1), "a second document", "leave out the line of dashes that begins it"),
        ("? [a]\n: 1\n", (1, 3), "a key must be text", "write a word and a colon"),
        ("~: 1\n", (1, 1), "a key must be text", "write a word and a colon"),
        ("<<: 1\n", (1, 5), "<< takes the keys of another mapping", "write an alias behind it"),
        ("a: 1\nb: \x00\n", (2, 4), "a character that no text file has", "delete it"),
        ("a: *b\n", (1, 4), "found undefined alias 'b'", ""),
    ],
    ids=lambda value: value[:40].encode("unicode_escape").decode() if isinstance(value, str) else "",
)
def test_syntax_errors_name_line_and_column(text: str, where: tuple[int, int], what: str, fix: str) -> None:
    """What is no YAML is found by its line and column, and the common slips are said in plain words."""
    (line,) = problems(text)
    assert line.startswith("line {}, column {}: {}".format(*where, what))
    assert fix in line


CHAIN = """\
registry: https://registry.example.com
services:
  - {name: buzzy-main, image: buzzybuzz/buzzy-main}
  - {name: buzzy-api, image: buzzybuzz/buzzy-api}
environments:
  staging: {namespace: a, channel: C0A}
  production: {namespace: b, channel: C0B, requires: {proven_in: staging}}
  standby: {namespace: c, channel: C0C, follows: production, after: 24h}
"""


@pytest.mark.requirement("S3")
@pytest.mark.parametrize(
    ("right", "wrong", "said"),
    [
        (
            "proven_in: staging",
            "proven_in: stagign",
            "production.requires.proven_in: is no environment of this file; did you mean staging?",
        ),
        (
            "proven_in: staging",
            "proven_in: production",
            "production.requires.proven_in: is the environment itself; write another one, such as staging",
        ),
        (
            "follows: production",
            "follows: producton",
            "standby.follows: is no environment of this file; did you mean production?",
        ),
        (
            "production, after: 24h",
            "production",
            (
                "standby.follows: says not how long a version must have run there first; "
                "write after: 24h beside it"
            ),
        ),
        (
            "after: 24h",
            "after: 24h, latest: 3.x",
            "standby.latest: and follows both say what is released here; leave one of them out",
        ),
        (
            "channel: C0B",
            "channel: C0B, latest: 3.x",
            "production.latest: would release what requires keeps out; leave one of them out",
        ),
        (
            "channel: C0A",
            "channel: C0A, services: [buzzy-main]",
            (
                "production.requires.proven_in: has not all of its services: buzzy-api cannot be proven "
                "there; add them to staging, or leave them out here"
            ),
        ),
        (
            "channel: C0A",
            "channel: C0A, requires: {proven_in: standby}",
            (
                "staging.requires: leads in a circle: staging → standby → production → staging; "
                "one of them has to come first"
            ),
        ),
    ],
    ids=["close", "itself", "follows", "after", "two leads", "unproven", "services", "circle"],
)
def test_the_chain_of_environments_leads_somewhere(right: str, wrong: str, said: str) -> None:
    """What is named before an environment is there, has its services, and waits for nothing behind it."""
    parse_config(CHAIN)
    assert problems(CHAIN.replace(right, wrong)) == [f"environments.{said}"]


def test_a_file_may_not_be_nested_without_end() -> None:
    """Not even a file made to break the reader gets more than an answer."""
    assert problems("[" * 1_500) == ["the file: is nested too deeply; write fewer levels"]


class Bare(BaseModel):
    """A model that says nothing about what it takes."""

    when: date
    count: int


def test_a_field_without_examples_is_explained_as_well() -> None:
    """What nobody has put into words yet still gets its path and pydantic's own."""
    with pytest.raises(ValidationError) as caught:
        Bare.model_validate({"when": "{today}"})
    said = [str(problem) for problem in explain(caught.value.errors(), Bare, {})]
    assert said[0].startswith("when: Input should be a valid date")
    assert said[1] == "count: is missing; write count"


SECRET = "xoxb-very-secret"


@pytest.mark.parametrize(
    "text",
    [
        with_staging("configuration:", f"  TOKEN: [{SECRET}]"),
        with_staging("configuration:", f"  TOKEN: {{{SECRET}: 1}}"),
        with_staging("configuration:", f'  TOKEN: "{SECRET}'),
        with_staging("configuration:", f"  TOKEN: a: {SECRET}"),
        with_staging("configuration:", "  TOKEN: a", f"  TOKEN: {SECRET}"),
        with_staging(f"strategy: {SECRET}"),
        with_staging(f"history: {SECRET}"),
        with_staging(f"services: [{SECRET}]"),
        with_staging(f"approval: {{quorum: 1, from: [{SECRET}], expires: {SECRET}}}"),
        SMALL.replace("C0STAGING", SECRET),
        SMALL.replace("image: buzzybuzz/buzzy-api", f"image: 'x:{SECRET}'"),
        SECRET,
    ],
)
def test_no_value_is_repeated(text: str) -> None:
    """Problems go into logs and channels; a secret in the file, in its place or out of it, does not."""
    assert SECRET not in "\n".join(problems(text))


yamlish = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.text(max_size=8)
    | st.sampled_from(["staging", "rolling", "C0A"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                [
                    "services",
                    "environments",
                    "staging",
                    "name",
                    "image",
                    "approval",
                    "from",
                    "cluster",
                    "context",
                ]
            )
            | st.text(max_size=4),
            inner,
            max_size=4,
        )
    ),
    max_leaves=12,
)


@settings(deadline=None)  # parsing takes longer on a machine that has other work
@given(st.text() | yamlish.map(lambda content: yaml.safe_dump(content, allow_unicode=True)))
def test_any_text_is_a_configuration_or_refused(text: str) -> None:
    """No text, YAML or not, does anything else than give a configuration or a `ConfigError`."""
    try:
        outcome: object = parse_config(text)
    except ConfigError as error:
        outcome = error
    assert isinstance(outcome, Config) or str(outcome)


@settings(deadline=None)
@given(
    st.integers(min_value=0, max_value=len(EXAMPLE) - 1),
    st.integers(min_value=0, max_value=6),
    st.sampled_from(["", "\n", " ", ":", "[", "}", '"', "&a ", "*a", "!x ", "- ", "\t", "é", "|", "%", "~"]),
)
def test_a_damaged_file_is_read_or_refused(place: int, cut: int, put: str) -> None:
    """The same holds for the example with a slip of the pen anywhere in it."""
    try:
        outcome: object = parse_config(EXAMPLE[:place] + put + EXAMPLE[place + cut :])
    except ConfigError as error:
        outcome = error
    assert isinstance(outcome, Config) or str(outcome)


@pytest.mark.requirement("D2")
@pytest.mark.parametrize(
    ("services", "said"),
    [
        (
            "[{name: a, image: x/a}, {name: a-green, image: x/b}]",
            (
                "services[1].deployment: is what blue-green calls the second Deployment of a; "
                "give it another name"
            ),
        ),
        (
            "[{name: a, image: x/a}, {name: b, image: x/b, service: a}]",
            "services[1].service: is the service of services[0] as well; give each service its own",
        ),
    ],
)
def test_slots_that_would_be_in_each_others_way(services: str, said: str) -> None:
    """Only where a release may be blue-green; a rolling environment has one Deployment a service."""
    text = f"services: {services}\nenvironments:\n  staging: {{namespace: n, channel: C0A{{}}}}\n"
    assert problems(text.replace("{}", ", strategies: [blue-green]")) == [said]
    parse_config(text.replace("{}", ""))
