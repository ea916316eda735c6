"""The speech in a recording, found by voice activity detection and cut into windows Whisper can read."""

from collections.abc import Iterator

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE

_Samples = NDArray[np.float32]  # shape (n,), mono at SAMPLE_RATE

MIN_SPEECH_S = 0.25
"""Less voice than this, by the voice activity detector, is no speech."""
WINDOW_S = 30.0
"""Whisper's encoder reads exactly this much at once."""
SPEECH_PADDING_S = 0.8
"""Kept on each side of detected speech: word onsets and endings are quieter than the detector's threshold."""
SURE = 0.5
"""Probability from which the detector's speech counts towards MIN_SPEECH_S."""
MAYBE = 0.2
"""Probability from which sound is kept once there is speech; it ends 0.15 below. Whole words of calls over a
landline stay under SURE: cut out, they left a fluent transcript with a hole, and an error rate of 0.12 on the
voice corpus' noisy dev notes that is 0.03 with this."""


def speech_windows(samples: _Samples) -> list[_Samples]:
    """The speech alone, cut at pauses into windows of at most WINDOW_S; none if there is too little of it."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    # Padding is added below: padded here, a 30 ms click would count as 0.8 s of speech.
    sure = get_speech_timestamps(samples, VadOptions(threshold=SURE, speech_pad_ms=0))
    if sum(span["end"] - span["start"] for span in sure) < MIN_SPEECH_S * SAMPLE_RATE:
        return []
    options = VadOptions(
        threshold=MAYBE,
        neg_threshold=MAYBE - 0.15,
        speech_pad_ms=0,
        max_speech_duration_s=WINDOW_S - 2 * SPEECH_PADDING_S,
    )
    spans = [(span["start"], span["end"]) for span in get_speech_timestamps(samples, options)]
    return [np.concatenate(pieces) for pieces in _packed(samples, _padded(spans, len(samples)))]


def _padded(spans: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Spans in samples, each widened by SPEECH_PADDING_S but never past the middle of the pause beside it."""
    padding = int(SPEECH_PADDING_S * SAMPLE_RATE)
    for i, (start, end) in enumerate(spans):
        earliest = (spans[i - 1][1] + start) // 2 if i else 0
        latest = (end + spans[i + 1][0]) // 2 if i + 1 < len(spans) else length
        yield max(earliest, start - padding), min(latest, end + padding)


def _packed(samples: _Samples, spans: Iterator[tuple[int, int]]) -> Iterator[list[_Samples]]:
    """Consecutive spans gathered until the next one would not fit the window."""
    pieces: list[_Samples] = []
    room = int(WINDOW_S * SAMPLE_RATE)
    for start, end in spans:
        if pieces and end - start > room:
            yield pieces
            pieces, room = [], int(WINDOW_S * SAMPLE_RATE)
        pieces.append(samples[start:end])
        room -= end - start
    if pieces:
        yield pieces
