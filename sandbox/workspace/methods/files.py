"""`files.*`: uploading in three steps, as Slack wants it now: a URL, the bytes, where to show it."""

from __future__ import annotations

import mimetypes
from typing import Any

from sandbox.workspace import messages
from sandbox.workspace.args import Args
from sandbox.workspace.blocks import check_message
from sandbox.workspace.errors import SlackError
from sandbox.workspace.messages import Draft
from sandbox.workspace.methods.chat import writable_channel
from sandbox.workspace.methods.registry import method
from sandbox.workspace.model import BOT_USER
from sandbox.workspace.state import File, Workspace

Json = dict[str, Any]


@method("files.getUploadURLExternal", "files:write")
def get_upload_url(workspace: Workspace, args: Args) -> Json:
    """Where to send the bytes."""
    name = args.required("filename")
    if args.number("length", 0, 1_000_000_000) < 1 or args.text("length", "0") == "0":
        raise SlackError("missing_argument")
    file = File(workspace.ids.new("F"), name, args.text("alt_txt"))
    workspace.files[file.id] = file
    return {"upload_url": f"{workspace.url}/upload/v1/{file.id}", "file_id": file.id}


@method("files.completeUploadExternal", "files:write")
def complete_upload(workspace: Workspace, args: Args) -> Json:
    """Show what was uploaded, in a channel or thread if one is named."""
    files = [_finished(workspace, entry) for entry in args.structure("files") or []]
    if not files:
        raise SlackError("invalid_arguments")
    described = [describe(workspace, file) for file in files]
    channel_id = args.text("channel_id") or args.text("channels").split(",")[0]
    if channel_id:
        channel = writable_channel(workspace, Args({"channel": channel_id}))
        blocks = args.structure("blocks", "invalid_blocks")
        draft = Draft(
            args.text("initial_comment"), check_message(blocks) if blocks else [], args.text("thread_ts")
        )
        draft.files = described
        messages.post(workspace, channel, BOT_USER, draft)
    return {"files": described}


@method("files.info", "files:read")
def info(workspace: Workspace, args: Args) -> Json:
    """One file."""
    file = workspace.files.get(args.required("file", "file_not_found"))
    if file is None:
        raise SlackError("file_not_found")
    return {"file": describe(workspace, file)}


def describe(workspace: Workspace, file: File) -> Json:
    """The file object that a message carries."""
    mimetype = mimetypes.guess_type(file.name)[0] or "application/octet-stream"
    url = f"{workspace.url}/files/{file.id}/{file.name}"
    return {
        "id": file.id,
        "name": file.name,
        "title": file.title or file.name,
        "alt_txt": file.alt_text,
        "mimetype": mimetype,
        "filetype": file.name.rpartition(".")[2].lower(),
        "size": len(file.content),
        "user": BOT_USER,
        "mode": "hosted",
        "url_private": url,
        "url_private_download": url,
    }


def _finished(workspace: Workspace, entry: Json) -> File:
    file = workspace.files.get(entry.get("id", ""))
    if file is None or not file.content:
        raise SlackError("file_not_found")
    file.title = entry.get("title") or file.name
    return file
