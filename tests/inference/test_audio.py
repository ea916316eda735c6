"""Any bytes become bounded samples or a typed rejection; nothing else ever comes out."""

import io
import random
from pathlib import Path
from typing import get_args

import av
import numpy as np
import pytest

from inference.audio import SAMPLE_RATE, AudioRejected, Clip, decode
from inference.sound_formats import MIME_TYPES, Container, sniff

NOTES = Path(__file__).parents[1] / "voice"
NOTE = (NOTES / "it_booking_man.ogg").read_bytes()


def taken(audio: bytes, *, max_seconds: float = 30.0, max_bytes: int = 2**20) -> Clip:
    return decode(audio, max_seconds=max_seconds, max_bytes=max_bytes)


def refused(audio: bytes, *, max_seconds: float = 30.0, max_bytes: int = 2**20) -> AudioRejected:
    with pytest.raises(AudioRejected) as caught:
        decode(audio, max_seconds=max_seconds, max_bytes=max_bytes)
    return caught.value


def encoded(container: str, codec: str, *, seconds: float = 2.0, rate: int = 16_000) -> bytes:
    """A 440 Hz tone."""
    time = np.arange(int(seconds * rate)) / rate
    tone = (np.sin(2 * np.pi * 440 * time) * 9000).astype(np.int16).reshape(1, -1)
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream = target.add_stream(codec, rate=rate, layout="mono")
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = rate
        resampler = av.AudioResampler(
            format=stream.codec_context.format, layout="mono", rate=rate, frame_size=stream.frame_size or None
        )
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            target.mux(stream.encode(piece))
    return out.getvalue()


def ogg_checksum(page: bytes) -> int:
    """RFC 3533 appendix A: CRC-32 with polynomial 04C11DB7, not reflected, no initial or final inversion."""
    crc = 0
    for byte in page:
        crc ^= byte << 24
        for _ in range(8):
            crc = ((crc << 1) ^ 0x04C11DB7 if crc & 0x80000000 else crc << 1) & 0xFFFFFFFF
    return crc


def silent_video() -> bytes:
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        stream = target.add_stream("mpeg4", rate=5)
        stream.width = stream.height = 64
        stream.pix_fmt = "yuv420p"
        image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        target.mux([*stream.encode(image), *stream.encode(None)])
    return out.getvalue()


@pytest.mark.parametrize(
    ("container", "codec", "name", "rate"),
    [
        ("ogg", "libopus", "ogg", 48_000),
        ("wav", "pcm_s16le", "wav", 44_100),
        ("mp4", "aac", "mp4", 44_100),
        ("ipod", "aac", "mp4", 16_000),
        ("mp3", "libmp3lame", "mp3", 44_100),
        ("flac", "flac", "flac", 16_000),
        ("webm", "libopus", "matroska", 48_000),
        ("adts", "aac", "aac", 44_100),
        ("amr", "libopencore_amrnb", "amr", 8_000),
        ("3gp", "libopencore_amrnb", "mp4", 8_000),
    ],
)
def test_containers_are_known_by_content_and_decoded(
    container: str, codec: str, name: str, rate: int
) -> None:
    audio = encoded(container, codec, rate=rate)
    assert sniff(audio) == name
    clip = taken(audio)
    assert clip.container == name
    assert clip.duration_s == pytest.approx(2.0, abs=0.15)
    assert clip.samples.dtype == np.float32
    assert clip.samples.ndim == 1
    assert 0.2 < np.abs(clip.samples).max() <= 1.0
    spectrum = np.abs(np.fft.rfft(clip.samples))
    assert np.argmax(spectrum) * SAMPLE_RATE / len(clip.samples) == pytest.approx(440, abs=5)


def test_committed_notes_are_mono_opus_at_16_khz() -> None:
    for path in NOTES.glob("*_*_*man.ogg"):
        with av.open(str(path)) as source:
            assert source.streams.audio[0].codec_context.name == "opus"
        assert 3.0 < taken(path.read_bytes()).duration_s < 10.0


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("zero.ogg", "empty"),
        ("truncated.ogg", "truncated"),
        ("random.ogg", "not_audio"),
        ("error_page.ogg", "not_audio"),
        ("short.ogg", "too_short"),
    ],
)
def test_junk_is_rejected_with_its_reason(name: str, reason: str) -> None:
    assert refused((NOTES / name).read_bytes()).reason == reason


@pytest.mark.parametrize(
    "audio",
    [
        b"\x89PNG\r\n\x1a\n" + b"\0" * 64,
        b"#EXTM3U\n#EXTINF:1,\nfile:///etc/passwd\n",
        b"ffconcat version 1.0\nfile /etc/passwd\n",
        b"\xff",
    ],
)
def test_what_is_no_audio_is_never_opened(audio: bytes) -> None:
    assert sniff(audio) is None
    assert refused(audio).reason == "not_audio"


def test_video_without_sound() -> None:
    assert refused(silent_video()).reason == "no_audio_stream"


def with_pictures(*, cover: bool) -> bytes:
    """A tone beside a film, or the same as a song with its cover."""
    out = io.BytesIO()
    with av.open(out, "w", format="mp4") as target:
        sound = target.add_stream("aac", rate=16_000, layout="mono")
        film = target.add_stream("mjpeg" if cover else "mpeg4", rate=5)
        film.width = film.height = 64
        film.pix_fmt = "yuvj420p" if cover else "yuv420p"
        if cover:
            film.disposition = av.stream.Disposition.attached_pic
        image = av.VideoFrame.from_ndarray(np.zeros((64, 64, 3), np.uint8), format="rgb24")
        target.mux([*film.encode(image), *film.encode(None)])
        tone = (np.sin(np.arange(32_000) / 6) * 9000).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(tone, format="s16", layout="mono")
        frame.sample_rate = 16_000
        resampler = av.AudioResampler(format="fltp", layout="mono", rate=16_000, frame_size=1024)
        for piece in [*resampler.resample(frame), *resampler.resample(None), None]:
            target.mux(sound.encode(piece))
    return out.getvalue()


def test_a_film_is_no_voice_note_but_a_song_with_its_cover_is_heard() -> None:
    assert refused(with_pictures(cover=False)).reason == "video"
    assert taken(with_pictures(cover=True)).duration_s == pytest.approx(2.0, abs=0.15)


def test_decoding_gives_up_when_its_time_is_over() -> None:
    with pytest.raises(AudioRejected) as caught:
        decode(NOTE, max_seconds=30, max_bytes=2**20, within_s=-1.0)
    assert caught.value.reason == "damaged"


def test_a_sampling_rate_that_would_blow_up_is_refused() -> None:
    audio = bytearray(encoded("wav", "pcm_s16le", seconds=1.0))
    at = audio.index(b"fmt ") + 12
    audio[at : at + 4] = (1).to_bytes(4, "little")  # samples a second
    assert refused(bytes(audio), max_seconds=10**6).reason == "damaged"


def test_every_container_has_a_name_on_the_web() -> None:
    assert set(MIME_TYPES) == set(get_args(Container))


def test_size_limit_counts_before_anything_is_read() -> None:
    assert refused(NOTE, max_bytes=len(NOTE) - 1).reason == "too_big"
    assert taken(NOTE, max_bytes=len(NOTE)).container == "ogg"


def test_announced_length_over_the_limit_is_refused_with_that_length() -> None:
    error = refused(NOTE, max_seconds=2.0)
    assert error.reason == "too_long"
    assert error.duration_s == pytest.approx(taken(NOTE).duration_s, abs=0.1)


def test_decoding_stops_at_the_limit_when_the_header_says_nothing() -> None:
    audio = encoded("adts", "aac", seconds=8.0)
    error = refused(audio, max_seconds=3.0)
    assert error.reason == "too_long"
    assert taken(audio, max_seconds=9.0).duration_s == pytest.approx(8.0, abs=0.2)


def test_decoding_stops_at_the_limit_when_the_header_lies() -> None:
    pages = [i for i in range(len(NOTE)) if NOTE.startswith(b"OggS", i)]
    lie = bytearray(NOTE)
    # RFC 3533: a page's granule position (64 bits at 6) is where players read the length; 48 kHz for Opus.
    for page in pages[2:]:
        lie[page + 6 : page + 14] = (48_000).to_bytes(8, "little")
        lie[page + 22 : page + 26] = bytes(4)
        end = min((at for at in pages if at > page), default=len(lie))
        lie[page + 22 : page + 26] = ogg_checksum(bytes(lie[page:end])).to_bytes(4, "little")
    with av.open(io.BytesIO(lie), format="ogg") as source:
        assert source.duration < 1_100_000, "the header now claims one second"
    error = refused(bytes(lie), max_seconds=3.0)
    assert error.reason == "too_long"
    assert 3.0 < error.duration_s < 3.5, "nothing past the limit is decoded"


def test_length_announced_but_not_there_is_truncated() -> None:
    for container, codec in (("wav", "pcm_s16le"), ("flac", "flac")):
        audio = encoded(container, codec, seconds=4.0)
        assert refused(audio[: len(audio) // 2]).reason == "truncated", container


def test_every_cut_of_an_ogg_note_is_noticed_unless_it_falls_between_pages() -> None:
    pages = [i for i in range(len(NOTE)) if NOTE.startswith(b"OggS", i)]
    for cut in range(40, len(NOTE), 97):
        if cut not in pages:
            assert refused(NOTE[:cut]).reason == "truncated", cut


def test_hole_between_pages_is_noticed() -> None:
    pages = [i for i in range(len(NOTE)) if NOTE.startswith(b"OggS", i)]
    assert len(pages) >= 5
    assert refused(NOTE[: pages[3]] + NOTE[pages[4] :]).reason == "truncated"


def test_damaged_bytes_give_samples_or_a_rejection_and_no_other_error() -> None:
    chance = random.Random(7)
    originals = [NOTE, encoded("mp4", "aac"), encoded("mp3", "libmp3lame"), encoded("wav", "pcm_s16le")]
    outcomes = {"taken": 0, "refused": 0}
    for round_ in range(120):
        audio = bytearray(originals[round_ % len(originals)])
        for _ in range(chance.randint(1, 40)):
            audio[chance.randrange(len(audio))] = chance.randrange(256)
        try:
            assert len(taken(bytes(audio)).samples) <= 31 * SAMPLE_RATE
            outcomes["taken"] += 1
        except AudioRejected as error:
            outcomes["refused"] += bool(error.reason)
    assert outcomes["taken"] > 10
    assert outcomes["refused"] > 10
