"""What an agent may attach, told by its content and never by its name alone."""

import re
import zipfile
from io import BytesIO
from pathlib import PurePath

from crm.errors import FileRefused

MOST_BYTES = 16 * 2**20  # WhatsApp takes 100 MB of documents, but only 5 MB of pictures and 16 MB of sound
PICTURE_MOST_BYTES = 5 * 2**20

# https://developers.facebook.com/docs/whatsapp/cloud-api/reference/media: supported types by first bytes.
_BY_START: tuple[tuple[bytes, str, tuple[str, ...]], ...] = (
    (b"\xff\xd8\xff", "image/jpeg", (".jpg", ".jpeg")),
    (b"\x89PNG\r\n\x1a\n", "image/png", (".png",)),
    (b"%PDF-", "application/pdf", (".pdf",)),
    (b"OggS", "audio/ogg", (".ogg", ".opus")),
    (b"ID3", "audio/mpeg", (".mp3",)),
)
_OFFICE = {
    ".docx": ("word/", "application/vnd.openxmlformats-officedocument.wordprocessingml.document"),
    ".xlsx": ("xl/", "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet"),
    ".pptx": ("ppt/", "application/vnd.openxmlformats-officedocument.presentationml.presentation"),
}


def recognised(name: str, content: bytes) -> tuple[str, str]:
    """The MIME type of a file and a name that suits it. Raises FileRefused for what cannot be sent."""
    filename = re.sub(r"[\x00-\x1f\x7f\"<>|\\/:*?]+", "_", PurePath(name).name).strip(" .")[:120] or "file"
    extension = PurePath(filename).suffix.lower()
    mime_type = _by_content(content, extension)
    if mime_type is None or not content:
        raise FileRefused(FileRefused.__doc__)
    if mime_type.startswith("image/") and len(content) > PICTURE_MOST_BYTES:
        raise FileRefused(FileRefused.__doc__)
    return mime_type, filename


def _by_content(content: bytes, extension: str) -> str | None:
    for start, mime_type, extensions in _BY_START:
        if content.startswith(start):
            return mime_type if extension in extensions else None
    if content[4:8] == b"ftyp" and extension in (".mp4", ".m4a"):
        return "video/mp4" if extension == ".mp4" else "audio/mp4"
    if extension in _OFFICE and _holds(content, _OFFICE[extension][0]):
        return _OFFICE[extension][1]
    if extension in (".txt", ".csv") and _is_text(content):
        return "text/plain"
    return None


def _holds(content: bytes, folder: str) -> bool:
    try:
        with zipfile.ZipFile(BytesIO(content)) as archive:
            return any(entry.startswith(folder) for entry in archive.namelist())
    except (zipfile.BadZipFile, ValueError, OSError):
        return False


def _is_text(content: bytes) -> bool:
    try:
        return "\x00" not in content.decode("utf-8")
    except UnicodeDecodeError:
        return False


def shown_type(content: bytes) -> str | None:
    """The type of a picture that may be shown in place; None for everything that is only downloaded."""
    if content.startswith(b"RIFF") and content[8:12] == b"WEBP":
        return "image/webp"
    for start, mime_type, _ in _BY_START[:2]:
        if content.startswith(start):
            return mime_type
    return None
