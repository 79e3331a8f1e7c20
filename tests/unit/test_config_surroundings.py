"""What `buzzy.yaml` says of a registry, a database, the matrix, the checklist and the notes."""

from __future__ import annotations

import pytest

from releases.compatibility import Row
from releases.config import ConfigError, parse_config

FILE = """\
{top}
services:
  - {{name: buzzy-main, image: buzzybuzz/buzzy-main}}
environments:
  staging:
    namespace: buzzy-staging
    channel: C0STAGING
    {staging}
"""
CHECKS = "proven, image, compatible, configuration, backup, migrations, rollback, capacity, alerts"
LOGIN = "belongs into REGISTRY_USERNAME and REGISTRY_PASSWORD"


def file(top: str = "", staging: str = "") -> str:
    """A file with these lines in it."""
    return FILE.format(top=top, staging=staging)


@pytest.mark.requirement("V2", "V5", "V6", "D1")
def test_all_of_it_is_read() -> None:
    """The address of a registry loses its last slash; the matrix keeps the order of the file."""
    config = parse_config(
        file(
            "registry: https://registry.example.com:5000/\n"
            "documentation: https://docs.example.com/{version}/notes\n"
            'compatibility: {"3.2.x": {node: 14.x, mongodb: ">=4.4"}, "3.x": {kubernetes: 1.18+}}',
            "checklist: [compatible, {tick: release notes read, by: [S0APPROVERS, U0BOB]}]",
        )
    )
    assert config.registry == "https://registry.example.com:5000"
    assert config.matrix == (
        Row("3.2.x", {"mongodb": ">=4.4", "node": "14.x"}),
        Row("3.x", {"kubernetes": "1.18+"}),
    )
    named, ticked = config.environment("staging").checklist or ()
    assert (named.check, named.tick) == ("compatible", None)
    assert (ticked.check, ticked.tick, ticked.by) == (None, "release notes read", ("S0APPROVERS", "U0BOB"))


@pytest.mark.parametrize(
    ("top", "said"),
    [
        (
            "registry: registry.example.com",
            "registry: is no address of a registry, such as https://registry.example.com",
        ),
        (
            "registry: https://registry.example.com/path",
            "registry: is no address of a registry, such as https://registry.example.com",
        ),
        (
            "registry: https://host:port",
            "registry: is no address of a registry, such as https://registry.example.com",
        ),
        ("registry: https://alice:s3cret@host", f"registry: has a login in it: that {LOGIN}"),
        ("registry:", "registry: is empty: write a value, or leave the line out"),
        (
            "documentation: https://docs.example.com",
            "documentation: is the same for every version: write {version} where the version belongs",
        ),
        (
            "documentation: https://docs.example.com/{version}/{page}",
            "documentation: has other braces than {version}: write them as {{ and }}",
        ),
        (
            'compatibility: {"3.2.z": {}}',
            "compatibility.3.2.z: is no range of versions, such as 3.2.x",
        ),
        (
            'compatibility: {"3.2.x": {mongodb: new}}',
            "compatibility.3.2.x.mongodb: is no range of versions, such as >=4.4 or 14.x",
        ),
        (
            'compatibility: {"3.2.x": {mongo: ">=4.4"}}',
            "compatibility.3.2.x.mongo: is not known here; did you mean mongodb?",
        ),
    ],
)
def test_problems_at_the_top(top: str, said: str) -> None:
    """Each is one line, with what to write, and without anything that may be a secret."""
    with pytest.raises(ConfigError) as caught:
        parse_config(file(top))
    assert str(caught.value) == said


@pytest.mark.parametrize(
    ("staging", "said"),
    [
        ("mongodb: {}", "mongodb: needs one of address and file"),
        ("mongodb: {address: 'mongodb://h', file: /f}", "mongodb: needs one of address and file"),
        (
            "mongodb: {address: 'http://h'}",
            "mongodb.address: is no address of a MongoDB, such as mongodb://mongodb.buzzy-staging:27017",
        ),
        (
            "mongodb: {address: 'mongodb://alice:s3cret@h'}",
            (
                "mongodb.address: has a login in it: put the whole address into a file (a mounted Secret) "
                "and name it (file: …)"
            ),
        ),
        ("checklist: [imag]", f"checklist[0].check: must be {CHECKS} or on-call"),
        (
            "checklist: [{by: [S0APPROVERS]}]",
            (
                f"checklist[0]: must be one of {CHECKS}, on-call, or "
                "{tick: release notes read, by: [S0APPROVERS]}"
            ),
        ),
        ("checklist: [{tick: notes}]", "checklist[0]: says nobody who may tick it: write by: [S0APPROVERS]"),
        ("checklist: [image, image]", "checklist[1]: is in the list already; leave it out"),
        (
            "checklist: [proven]",
            "checklist[0]: needs a rule to check; write requires, or leave it out",
        ),
        (
            "checklist: [compatible]",
            "checklist[0]: needs a matrix to check; write compatibility, or leave it out",
        ),
        (
            "checklist: [backup]",
            "checklist[0]: needs something to check; write database.backup, or leave it out",
        ),
        (
            "database: {backup: {image: buzzybuzz/backup}}",
            "database.backup.image: has no tag: write which one, such as buzzybuzz/backup:1.4",
        ),
        (
            "database: {backup: {image: 'buzzybuzz/backup:'}}",
            "database.backup.image: has no tag: write which one, such as buzzybuzz/backup:1.4",
        ),
        (
            "database: {backup: {image: 'Buzzy Backup:1'}}",
            "database.backup.image: is no image, such as buzzybuzz/backup:1.4",
        ),
        (
            "database: {restore: {image: 'buzzybuzz/backup:1'}}",
            "database: can restore nothing without a backup: write backup beside restore",
        ),
        (
            "database: {migrations: {image: 'buzzybuzz/migrations:3'}}",
            (
                "database.migrations.image: has a tag or digest: leave it out, the version that is released "
                "is the tag"
            ),
        ),
        (
            "database: {migrations: {image: buzzybuzz/migrations}}",
            (
                "database.migrations: needs a registry to read them from; write registry at the top of the "
                "file"
            ),
        ),
        ("not_known: maybe", "not_known: must be stop or go-on"),
    ],
)
def test_problems_of_an_environment(staging: str, said: str) -> None:
    """The same, with the environment in front."""
    with pytest.raises(ConfigError) as caught:
        parse_config(file(staging=staging))
    assert str(caught.value) == f"environments.staging.{said}"
