"""Voice notes as samples: what the bytes are, how long they last, decoded within limits.

The sender's declared type is never believed. The container is recognised by content and only that demuxer is
opened, so that no playlist format can make the decoder read another file or address.
"""

import io
import time
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal

import numpy as np
from numpy.typing import NDArray

from inference.errors import InferenceError
from inference.sound_formats import Container, sniff

SAMPLE_RATE = 16_000
"""Hz; what Whisper and the voice activity detector expect."""

MIN_SECONDS = 0.25
"""Nothing shorter holds a word: the least speech a transcript may rest on."""

DECODE_SECONDS = 20.0
"""Longest time spent on decoding one note; five minutes of Opus take a third of a second."""

Reason = Literal[
    "empty", "not_audio", "no_audio_stream", "video", "truncated", "damaged",
    "too_long", "too_short", "too_big",
]  # fmt: skip

_ADVICE: dict[Reason, str] = {
    "empty": "there are no bytes: download the note again",
    "not_audio": "the bytes are no audio container known here: ask for a voice note or text",
    "no_audio_stream": "the file has no sound track: ask for a voice note or text",
    "video": "the file is a video: ask for a voice note or text",
    "damaged": "the file cannot be decoded in reasonable time: ask for it again",
    "truncated": "part of the note is missing: download it again and compare byte count and sha256",
    "too_long": "the note is longer than the limit: ask for a shorter one",
    "too_short": "the note is too short to hold a word: ask to record it again",
    "too_big": "the file is over the size limit: ask for a shorter note",
}
# Containers whose header states the exact length; elsewhere the announced length is an estimate.
_EXACT_LENGTH: frozenset[Container] = frozenset({"mp4", "flac"})
_LENGTH_TOLERANCE_S = 0.5
_MAX_BAD_PACKETS = 0.1
_OGG_HEADER = 27
# Programs that write WAV to a pipe cannot know its size and announce 2 or 4 GiB, or nothing.
_WAV_UNKNOWN_SIZE = 0x7F000000
# Below this sampling rate nobody understands a word; resampling one of 1 Hz would blow it up 16 000 times.
_LEAST_RATE = 4_000
_MICROSECONDS = 1_000_000


class AudioRejected(InferenceError):
    """A note no transcript can be made of; `reason` says why and `duration_s` how long it is, if known."""

    def __init__(self, reason: Reason, duration_s: float = 0.0) -> None:
        super().__init__(f"{reason}: {_ADVICE[reason]}.")
        self.reason = reason
        self.duration_s = duration_s


@dataclass(frozen=True)
class Clip:
    """A decoded note: float32 samples in -1..1, shape (n,), mono at SAMPLE_RATE."""

    samples: NDArray[np.float32]
    container: Container

    @property
    def duration_s(self) -> float:
        """Length in seconds."""
        return len(self.samples) / SAMPLE_RATE


def decode(audio: bytes, *, max_seconds: float, max_bytes: int, within_s: float = DECODE_SECONDS) -> Clip:
    """Samples of a voice note, never more than `max_seconds` of them whatever its header says.

    Blocks for about 1 ms per second of audio, and gives up after `within_s`. Raises AudioRejected.
    """
    if not audio:
        raise AudioRejected("empty")
    if len(audio) > max_bytes:
        raise AudioRejected("too_big")
    container = sniff(audio)
    if container is None:
        raise AudioRejected("not_audio")
    if (container == "ogg" and not _ogg_is_whole(audio)) or (container == "wav" and not _wav_is_whole(audio)):
        raise AudioRejected("truncated")
    deadline = time.monotonic() + within_s
    clip = Clip(_read(audio, container, max_seconds, deadline), container)
    if clip.duration_s < MIN_SECONDS:
        raise AudioRejected("too_short", clip.duration_s)
    return clip


def _read(audio: bytes, container: Container, max_seconds: float, deadline: float) -> NDArray[np.float32]:
    """Opens, probes and decodes, with every decoder failure told apart."""
    import av

    try:
        with av.open(io.BytesIO(audio), format=container, metadata_errors="ignore") as source:
            if not source.streams.audio:
                raise AudioRejected("no_audio_stream")
            if any(_moves(stream) for stream in source.streams.video):
                raise AudioRejected("video", _announced_seconds(source) or 0.0)
            announced = _announced_seconds(source)
            if announced is not None and announced > max_seconds:
                raise AudioRejected("too_long", announced)
            samples = _decode_stream(source, max_seconds, deadline)
    except av.error.FFmpegError as error:
        # The magic was right, so the rest is missing or damaged; a missing decoder is another matter.
        known = not isinstance(error, av.error.DecoderNotFoundError | av.error.PatchWelcomeError)
        raise AudioRejected("truncated" if known else "not_audio") from error
    except (ValueError, IndexError, OverflowError) as error:
        raise AudioRejected("not_audio") from error
    seconds = len(samples) / SAMPLE_RATE
    if container in _EXACT_LENGTH and announced is not None and seconds < announced - _LENGTH_TOLERANCE_S:
        raise AudioRejected("truncated", seconds)
    return samples


def _moves(stream: Any) -> bool:
    """Whether a picture track is a film; the cover of a song is a picture track too."""
    import av

    return not stream.disposition & av.stream.Disposition.attached_pic


def _announced_seconds(source: Any) -> float | None:
    if source.duration is not None:
        return float(source.duration) / _MICROSECONDS
    stream = source.streams.audio[0]
    return float(stream.duration * stream.time_base) if stream.duration and stream.time_base else None


def _decode_stream(source: Any, max_seconds: float, deadline: float) -> NDArray[np.float32]:
    """All samples of the first sound track; stops with too_long at the limit even if the header lied."""
    limit = int(max_seconds * SAMPLE_RATE)
    blocks: list[NDArray[np.int16]] = []
    count = 0
    for block in _blocks(source, deadline):
        blocks.append(block)
        count += len(block)
        if count > limit:
            raise AudioRejected("too_long", count / SAMPLE_RATE)
    if not blocks:
        raise AudioRejected("truncated")
    return np.concatenate(blocks).astype(np.float32) / 32768.0


def _blocks(source: Any, deadline: float) -> Iterator[NDArray[np.int16]]:
    """Resampled blocks, skipping damaged packets as players do; too many of them is a truncated note."""
    import av

    resampler = av.AudioResampler(format="s16", layout="mono", rate=SAMPLE_RATE)
    packets = bad = 0
    context = source.streams.audio[0].codec_context
    if context is None:  # a codec nobody here decodes
        raise AudioRejected("not_audio")
    if 0 < context.sample_rate < _LEAST_RATE:
        raise AudioRejected("damaged")
    for packet in source.demux(source.streams.audio[0]):
        packets += 1
        if time.monotonic() > deadline:
            raise AudioRejected("damaged")
        try:
            frames = packet.decode()
        except av.error.InvalidDataError:
            bad += 1
            continue
        for frame in frames:
            frame.pts = None  # a hole in the timestamps would stop the resampler
            yield from _arrays(resampler.resample(frame))
    if bad > packets * _MAX_BAD_PACKETS:
        raise AudioRejected("truncated")
    yield from _arrays(resampler.resample(None))


def _arrays(pieces: Iterable[Any]) -> Iterator[NDArray[np.int16]]:
    return (piece.to_ndarray().reshape(-1) for piece in pieces)


def _wav_is_whole(audio: bytes) -> bool:
    """Whether all the bytes the RIFF header announces (little-endian at 4, itself excluded) are there."""
    announced = int.from_bytes(audio[4:8], "little")
    return announced >= _WAV_UNKNOWN_SIZE or announced + 8 <= len(audio)


def _ogg_is_whole(audio: bytes) -> bool:
    """Whether the pages follow each other without a gap and the last one is complete.

    RFC 3533 section 6: a page is a 27-byte header with its serial at 14, its sequence number at 18 and its
    segment count at 26, then one length byte per segment, then the segments.
    """
    expected: dict[bytes, int] = {}
    at = 0
    while at < len(audio):
        segments_at = at + _OGG_HEADER
        if not audio.startswith(b"OggS", at) or segments_at > len(audio):
            return False
        segments = audio[segments_at : segments_at + audio[at + 26]]
        at_next = segments_at + audio[at + 26] + sum(segments)
        if at_next > len(audio):
            return False
        serial, number = audio[at + 14 : at + 18], int.from_bytes(audio[at + 18 : at + 22], "little")
        if expected.get(serial, number) != number:
            return False
        expected[serial] = number + 1
        at = at_next
    return True
