"""Attachments 附件: files that belong to a case, sealed like its other values; acts refer to them by their digest."""

from __future__ import annotations

from adapters.attachments.kinds import KINDS
from adapters.attachments.store import Attachment, Attachments

__all__ = ["KINDS", "Attachment", "Attachments"]
