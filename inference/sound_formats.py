"""What kind of sound some bytes hold, told by their first bytes; never by what their sender calls them."""

from typing import Literal

Container = Literal["ogg", "wav", "mp3", "mp4", "amr", "flac", "matroska", "aac"]

MIME_TYPES: dict[Container, str] = {
    "ogg": "audio/ogg",
    "wav": "audio/wav",
    "mp3": "audio/mpeg",
    "mp4": "audio/mp4",
    "amr": "audio/amr",
    "flac": "audio/flac",
    "matroska": "audio/webm",
    "aac": "audio/aac",
}
"""What each container is called on the web."""

# (offset, magic): AMR-NB and AMR-WB share the prefix; 1A45DFA3 is EBML, which WebM and Matroska share.
_MAGIC: tuple[tuple[int, bytes, Container], ...] = (
    (0, b"OggS", "ogg"),
    (8, b"WAVE", "wav"),
    (4, b"ftyp", "mp4"),
    (0, b"#!AMR", "amr"),
    (0, b"fLaC", "flac"),
    (0, b"\x1a\x45\xdf\xa3", "matroska"),
    (0, b"ID3", "mp3"),
)


def sniff(audio: bytes) -> Container | None:
    """The container these bytes are in, by content; None for anything that is not audio we decode."""
    for offset, magic, container in _MAGIC:
        if audio.startswith(magic, offset):
            return container
    if len(audio) < 2 or audio[0] != 0xFF:
        return None
    # ADTS and MPEG audio share the 12-bit sync word; ADTS has layer bits 00 (ISO/IEC 13818-7, 11172-3).
    if audio[1] & 0xF6 == 0xF0:
        return "aac"
    return "mp3" if audio[1] & 0xE0 == 0xE0 and audio[1] & 0x06 else None
