"""Files a customer sends that hold no request the assistant could understand: none may come back `ok`."""

import io
from collections.abc import Iterator
from itertools import pairwise
from typing import Any

import av
import numpy as np

from evals.voice_corpus.sounds import (
    RATE,
    Samples,
    band,
    behind,
    coloured,
    crowd,
    level,
    melody,
    note,
    phone,
    quiet,
    street,
    sweep,
    swelling,
    tone,
    white,
)

DTMF = {"1": (697, 1209), "2": (697, 1336), "3": (697, 1477), "4": (770, 1209), "5": (770, 1336),
        "6": (770, 1477), "7": (852, 1209), "8": (852, 1336), "9": (852, 1477), "0": (941, 1336)}  # fmt: skip
PAGE = b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Media not found</h1></body></html>\n"
Junk = Iterator[tuple[str, str, bytes]]  # file name, kind, bytes


def sounds(random: np.random.Generator, *, dev: bool) -> Junk:
    """Sounds without speech; those of `dev` are others of the same kinds."""
    length = 4.3 if dev else 5.0
    yield "silence.ogg", "silence", note(quiet(length))
    yield "room.ogg", "silence", note(level(coloured(length, random, 1), 0.001))
    yield "hum.ogg", "hum", note(tone(60 if dev else 50, length, 6) * 0.3)
    yield "white_noise.ogg", "noise", note(white(length, random) * 0.4)
    yield "pink_noise.ogg", "noise", note(coloured(length, random, 1))
    yield "wind.ogg", "noise", note(swelling(coloured(length, random, 2), 1.9, 0.2))
    yield "street.ogg", "noise", note(street(length, random))
    yield "breathing.ogg", "breathing", note(swelling(band(white(length, random), 400, 3000) * 0.3, 1.4))
    tunes = ("ccggaag ffeeddc ", "eedcdeedcc edcde ") if dev else ("eefggfed ccdeedd ", "CbagfedccdefgabC")
    yield "piano.ogg", "music", note(melody(tunes[0], 0.35))
    yield "tune.ogg", "music", note(melody(tunes[1], 0.22, octave=2, bass=False))
    drums = np.concatenate([white(0.05, random), quiet(0.2)] * int(length * 4))
    yield "band.ogg", "music", note(behind(np.resize(drums, 5 * RATE), melody(tunes[0], 0.25), -3))
    yield "beeps.ogg", "beeps", note(np.concatenate([tone(1000, 0.2), quiet(0.3)] * 8))
    yield "ring.ogg", "beeps", note(np.concatenate([tone(440, 1.0, 2), quiet(1.0)] * 2))
    digits = "0651774" if dev else "3472819560"
    tones = [DTMF[digit] for digit in digits]
    keys = [np.concatenate([(tone(a, 0.15) + tone(b, 0.15)) / 2, quiet(0.1)]) for a, b in tones]
    yield "dtmf.ogg", "beeps", note(np.concatenate(keys))
    clicks = quiet(length)
    clicks[random.integers(0, len(clicks), 12)] = 0.9
    yield "clicks.ogg", "clicks", note(clicks)
    knocks = [np.concatenate([coloured(0.06, random, 2) * 3, quiet(0.25)]) for _ in range(8)]
    yield "knocks.ogg", "clicks", note(np.concatenate(knocks))
    glide = [(0.0, 900.0), (0.6, 1800.0), (1.2, 1100.0), (2.0, 2300.0), (3.0, 800.0)]
    glide = [(at, 2900 - hertz) for at, hertz in glide] if dev else glide
    yield "whistle.ogg", "whistle", note(sweep(glide, 3.0))
    siren = [(n * 0.7, 600.0 if n % 2 else 1200.0) for n in range(8)]
    yield "siren.ogg", "whistle", note(sweep(siren, length))


def voices(said: dict[str, Samples], random: np.random.Generator) -> Junk:
    """Speech that cannot be understood, out of notes by name; every language in turn."""
    codes = ("it", "en", "es", "pt")
    for code in codes:
        yield f"reversed_{code}.ogg", "reversed", note(level(said[code][::-1].copy(), 0.08))
    for code, other in pairwise((*codes, codes[0])):
        yield f"overlap_{code}_{other}.ogg", "overlap", note(behind(said[code], said[other], 0))
    babble = crowd(list(said.values()), 6, random)
    yield "babble.ogg", "babble", note(babble)
    yield "babble_phone.ogg", "babble", note(phone(babble))
    yield "blip.ogg", "short", note(said["it"][: int(0.3 * RATE)])
    yield "blip_word.ogg", "short", note(said["en"][int(0.5 * RATE) : int(0.8 * RATE)])
    yield "buried.ogg", "noise", note(behind(said["es"], street(5, random), -15))
    yield "muffled.ogg", "noise", note(level(band(said["pt"], 0, 200), 0.05))


def files(whole: bytes, samples: Samples, random: np.random.Generator) -> Junk:
    """Bytes that are no whole voice note: a note cut, damaged or mislabelled, and other kinds of file."""
    yield "zero.ogg", "bytes", b""
    yield "random.ogg", "bytes", random.bytes(5000)
    yield "random_header.ogg", "bytes", whole[:60] + random.bytes(5000)
    yield "page.ogg", "bytes", PAGE
    yield "truncated.ogg", "truncated", whole[: len(whole) * 3 // 5]
    yield "hole.ogg", "truncated", whole[: len(whole) // 3] + whole[len(whole) // 2 :]
    m4a = note(samples, container="ipod", codec="aac", bit_rate=24_000)
    yield "truncated.m4a", "truncated", m4a[: len(m4a) // 2]
    wav = note(samples[: 2 * RATE], container="wav", codec="pcm_s16le")
    yield "truncated.wav", "truncated", wav[: len(wav) // 2]
    yield "photo.jpg", "picture", _picture("mjpeg", random)
    yield "picture.png", "picture", _picture("png", random)
    yield "video.mp4", "video", _video(random)


def _picture(codec: str, random: np.random.Generator) -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="image2pipe") as target:
        stream: Any = target.add_stream(codec, rate=1)
        stream.width, stream.height = 64, 48
        stream.pix_fmt = "yuvj420p" if codec == "mjpeg" else "rgb24"
        frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (48, 64, 3), np.uint8), format="rgb24")
        target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()


def _video(random: np.random.Generator) -> bytes:
    """A film without a sound track."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        stream: Any = target.add_stream("mpeg4", rate=5)
        stream.width, stream.height, stream.pix_fmt = 64, 48, "yuv420p"
        for _ in range(10):
            frame = av.VideoFrame.from_ndarray(random.integers(0, 255, (48, 64, 3), np.uint8), format="rgb24")
            target.mux(stream.encode(frame))
        target.mux(stream.encode(None))
    return out.getvalue()
