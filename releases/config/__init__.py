"""`buzzy.yaml`: the one file that says what is released where, and what is asked for it."""

from __future__ import annotations

from pydantic import ValidationError

from releases.config import monitors, section, suites
from releases.config.checklist import ALWAYS, Check, ChecklistItem
from releases.config.checks import contradictions
from releases.config.database import BackupTask, DatabaseCare, MigrationsTask, RestoreTask
from releases.config.durations import format_duration, format_seconds, parse_duration, write_duration
from releases.config.models import (
    Alerts,
    BlueGreen,
    Cluster,
    Config,
    Environment,
    Service,
    Strategy,
    UnknownEnvironment,
    json_schema,
    strategies_of,
)
from releases.config.monitors import MonitorRule, Prometheus
from releases.config.problems import ConfigError, Problem, explain
from releases.config.rules import Approval, ApprovalByType, Permission, Permissions, Requires
from releases.config.suites import HttpSuite, JobSuite, Suite
from releases.config.surroundings import Database, Files, Needs
from releases.config.tasks import JobTask
from releases.config.trains import Train
from releases.config.windows import Freeze, Freezes, Window, freeze_at, zone_of
from releases.config.yaml_text import load

__all__ = [
    "ALWAYS",
    "Alerts",
    "Approval",
    "ApprovalByType",
    "BackupTask",
    "BlueGreen",
    "Check",
    "ChecklistItem",
    "Cluster",
    "Config",
    "ConfigError",
    "Database",
    "DatabaseCare",
    "Environment",
    "Files",
    "Freeze",
    "Freezes",
    "HttpSuite",
    "JobSuite",
    "JobTask",
    "MigrationsTask",
    "MonitorRule",
    "Needs",
    "Permission",
    "Permissions",
    "Problem",
    "Prometheus",
    "Requires",
    "RestoreTask",
    "Service",
    "Strategy",
    "Suite",
    "Train",
    "UnknownEnvironment",
    "Window",
    "format_duration",
    "format_seconds",
    "freeze_at",
    "json_schema",
    "parse_config",
    "parse_duration",
    "strategies_of",
    "write_duration",
    "zone_of",
]

_PATTERNS = {
    section.DNS_LABEL: "must be lower-case letters, digits and dashes (at most 63), with no dash at its ends",
    section.DNS_NAME: "must be lower-case letters, digits, dashes and dots",
    section.CHANNEL: "must be the id of a channel, which Slack shows at the end of the channel's details",
    section.PERSON_OR_GROUP: "must be the id of a person (U… or W…) or of a user group (S…)",
    section.PERSON: "must be the id of a person (U… or W…), from Copy member ID in their Slack profile",
    section.OS_USER: "must be the name of a user of the operating system",
    section.HTTP_PATH: "must be a path that starts with /",
    section.ABSOLUTE_PATH: "must be a path from / on, of letters, digits, dots, dashes and underscores",
    suites.FIELD: "must be the names of fields, with dots between them",
    monitors.NAME: "must be a name of letters, digits, spaces and dashes, at most 40",
    monitors.REASON: "must be the reason of an event as Kubernetes has it",
    section.VARIABLE: "must be the name of a variable: letters, digits and underscores",
}


def parse_config(text: str) -> Config:
    """The configuration that a `buzzy.yaml` holds.

    Raises `ConfigError`, whose text has one line for every problem and never a value from the file.
    """
    content = load(text)
    if not isinstance(content, dict):
        what = "is empty" if content is None else "must have keys, such as services and environments"
        raise ConfigError(Problem("the file", what, "start from deploy/buzzy.example.yaml"))
    try:
        config = Config.model_validate(content)
    except ValidationError as error:
        errors = error.errors(include_url=False, include_input=False)
        raise ConfigError(*explain(errors, Config, _PATTERNS)) from None
    if problems := tuple(contradictions(config)):
        raise ConfigError(*problems)
    return config
