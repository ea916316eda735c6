"""Voice notes too large to keep in the repository, made out of a small one when they are needed."""

import io
from collections.abc import Callable, Mapping
from fractions import Fraction

import av

_PACKET_S = 0.02  # one Opus packet of a WhatsApp note
_TWENTY_MINUTES_S = 20 * 60
_OPUS_HZ = 48_000  # the clock of granule positions, whatever the note's own rate (RFC 7845 section 4)


def twenty_minutes(note: bytes) -> bytes:
    """An OGG/Opus note said over and over until it is twenty minutes long, without encoding it again."""
    with av.open(io.BytesIO(note), "r") as source:
        stream = source.streams.audio[0]
        packets = [(bytes(packet), packet.duration) for packet in source.demux(stream) if packet.size]
        out = io.BytesIO()
        with av.open(out, "w", format="ogg") as target:
            copy = target.add_stream_from_template(stream)
            at, number = 0, 0
            base = stream.time_base or Fraction(1, _OPUS_HZ)
            while at * base < _TWENTY_MINUTES_S:
                content, duration = packets[number % len(packets)]
                packet = av.Packet(content)
                packet.stream, packet.time_base = copy, base
                packet.pts = packet.dts = at
                packet.duration = duration or int(_PACKET_S / base)
                at += packet.duration
                number += 1
                target.mux(packet)
        return out.getvalue()


def says_two_seconds(note: bytes) -> bytes:
    """Twenty minutes whose last page, where players read an OGG file's length, announces two seconds."""
    return _announcing(twenty_minutes(note), 2.0)


def says_ten_hours(note: bytes) -> bytes:
    """A short note whose last page announces ten hours."""
    return _announcing(note, 36_000.0)


def _announcing(note: bytes, seconds: float) -> bytes:
    """The note with another length on its last page, its checksum made right again (RFC 3533 section 6)."""
    start = note.rfind(b"OggS")
    page = bytearray(note[start:])
    page[6:14] = int(seconds * _OPUS_HZ).to_bytes(8, "little")
    page[22:26] = bytes(4)
    page[22:26] = _ogg_checksum(page).to_bytes(4, "little")
    return note[:start] + bytes(page)


def _ogg_checksum(page: bytes | bytearray) -> int:
    """CRC-32 with generator 04C11DB7, not reflected, starting from 0."""
    value = 0
    for byte in page:
        value ^= byte << 24
        for _ in range(8):
            value = (value << 1) ^ 0x04C11DB7 if value & 0x80000000 else value << 1
        value &= 0xFFFFFFFF
    return value


MADE: Mapping[str, Callable[[bytes], bytes]] = {
    "twenty_minutes": twenty_minutes,
    "says_two_seconds": says_two_seconds,
    "says_ten_hours": says_ten_hours,
}
