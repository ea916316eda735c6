"""Sounds that are no speech, the noises behind speech, and voice notes out of samples."""

import io
from typing import Any

import av
import numpy as np
from numpy.typing import NDArray

RATE = 16_000
Samples = NDArray[np.float32]  # shape (n,), mono at RATE, -1..1
NOTES_HZ = {"c": 261.6, "d": 293.7, "e": 329.6, "f": 349.2, "g": 392.0, "a": 440.0, "b": 493.9, "C": 523.3}


def resampled(samples: Samples, rate: float, wanted: float) -> Samples:
    """By linear interpolation of a band-limited copy."""
    if wanted < rate:
        samples = band(samples, 0, wanted / 2.1, rate=rate)
    places = np.arange(int(len(samples) * wanted / rate)) * rate / wanted
    return np.asarray(np.interp(places, np.arange(len(samples)), samples), np.float32)


def band(samples: Samples, low: float, high: float, *, rate: float = RATE) -> Samples:
    """Only the frequencies from `low` to `high`, in Hz."""
    spectrum = np.fft.rfft(samples)
    hertz = np.fft.rfftfreq(len(samples), 1 / rate)
    spectrum[(hertz < low) | (hertz > high)] = 0
    return np.fft.irfft(spectrum, len(samples)).astype(np.float32)


def quiet(seconds: float) -> Samples:
    """Digital silence."""
    return np.zeros(int(seconds * RATE), np.float32)


def white(seconds: float, random: np.random.Generator) -> Samples:
    """White noise at full scale: mean square about 0.1."""
    return (random.standard_normal(int(seconds * RATE)) * 0.3).astype(np.float32)


def coloured(seconds: float, random: np.random.Generator, slope: float) -> Samples:
    """Noise whose power falls with frequency to the power of `slope`: 1 pink, 2 brown."""
    spectrum = np.fft.rfft(white(seconds, random))
    hertz = np.fft.rfftfreq(int(seconds * RATE), 1 / RATE)
    spectrum /= np.maximum(hertz, 20) ** (slope / 2)
    return level(np.fft.irfft(spectrum, int(seconds * RATE)).astype(np.float32), 0.1)


def tone(hertz: float, seconds: float, harmonics: int = 1) -> Samples:
    """A steady tone with its first harmonics, each half as loud as the one below."""
    time = np.arange(int(seconds * RATE)) / RATE
    waves = [np.sin(2 * np.pi * hertz * n * time) / 2 ** (n - 1) for n in range(1, harmonics + 1)]
    return np.asarray(np.sum(waves, axis=0) * 0.3, np.float32)


def plucked(hertz: float, seconds: float, harmonics: int = 5) -> Samples:
    """A tone that dies away, as of a string or a piano."""
    time = np.arange(int(seconds * RATE)) / RATE
    return np.asarray(tone(hertz, seconds, harmonics) * np.exp(-3 * time), np.float32)


def melody(notes: str, beat_s: float, *, octave: float = 1, bass: bool = True) -> Samples:
    """Notes of NOTES_HZ one per beat (a blank rests), over a bass line."""
    song = [plucked(NOTES_HZ[note] * octave, beat_s) if note != " " else quiet(beat_s) for note in notes]
    tune = np.concatenate(song)
    if bass:
        low = [plucked(NOTES_HZ["cafg"[n % 4]] / 4, beat_s * 4, 3) for n in range(len(notes) // 4 + 1)]
        tune = tune + np.concatenate(low)[: len(tune)]
    return level(tune.astype(np.float32), 0.1)


def sweep(points: list[tuple[float, float]], seconds: float) -> Samples:
    """A whistle gliding through (second, Hz) points."""
    time = np.arange(int(seconds * RATE)) / RATE
    hertz = np.interp(time, [at for at, _ in points], [height for _, height in points])
    return (0.4 * np.sin(2 * np.pi * np.cumsum(hertz) / RATE)).astype(np.float32)


def swelling(samples: Samples, period_s: float, floor: float = 0.0) -> Samples:
    """Louder and quieter in turns, as breath, waves or passing cars."""
    time = np.arange(len(samples)) / RATE
    gain = floor + (1 - floor) * np.sin(np.pi * time / period_s) ** 2
    return np.asarray(samples * gain, np.float32)


def street(seconds: float, random: np.random.Generator) -> Samples:
    """Rumble, passing cars and a horn."""
    sound = coloured(seconds, random, 2) + 0.7 * swelling(
        band(coloured(seconds, random, 1), 200, 2500), 3.1, 0.1
    )
    horn = tone(415, 0.4, 4) * 0.5
    at = int(seconds * 0.6 * RATE)
    sound[at : at + len(horn)] += horn[: max(0, len(sound) - at)]
    return level(sound.astype(np.float32), 0.1)


def level(samples: Samples, rms: float) -> Samples:
    """Brought to this root mean square, held within -1..1."""
    now = float(np.sqrt(np.mean(samples**2)))
    return np.asarray(np.clip(samples * (rms / now if now else 1), -1, 1), np.float32)


def behind(speech: Samples, noise: Samples, snr_db: float) -> Samples:
    """The speech with the noise (repeated as needed) that many decibels under it."""
    looped = np.resize(noise, len(speech))
    power = float(np.sqrt(np.mean(speech**2)))
    mixed = speech + level(looped.astype(np.float32), power / 10 ** (snr_db / 20))
    return np.asarray(mixed / max(1.0, float(np.abs(mixed).max())), np.float32)


def phone(samples: Samples) -> Samples:
    """As through a landline: 300 to 3400 Hz, 8 bits by the µ-law."""
    narrow = band(samples, 300, 3400)
    small = np.sign(narrow) * np.log1p(255 * np.abs(narrow)) / np.log(256)
    coarse = np.round(small * 127) / 127
    return np.asarray(np.sign(coarse) * (256 ** np.abs(coarse) - 1) / 255, np.float32)


def crowd(voices: list[Samples], seconds: float, random: np.random.Generator) -> Samples:
    """Many voices at once, each from another place of its own sentence."""
    length = int(seconds * RATE)
    mixed = np.zeros(length, np.float32)
    for voice in voices:
        mixed += np.roll(np.resize(voice, length), int(random.integers(length)))
    return level(mixed, 0.1)


def note(
    samples: Samples, *, container: str = "ogg", codec: str = "libopus", bit_rate: int = 16_000
) -> bytes:
    """The samples as a file: by default OGG/Opus, mono, 16 kHz, as WhatsApp sends voice notes."""
    out = io.BytesIO()
    with av.open(out, "w", format=container) as target:
        stream: Any = target.add_stream(codec, rate=RATE, layout="mono")
        if codec != "pcm_s16le":
            stream.bit_rate = bit_rate
        whole = (np.clip(samples, -1, 1) * 32767).astype(np.int16).reshape(1, -1)
        frame = av.AudioFrame.from_ndarray(whole, format="s16", layout="mono")
        frame.sample_rate = RATE
        resampler = av.AudioResampler(format=stream.format.name, layout="mono", rate=RATE)
        for ready in [*resampler.resample(frame), *resampler.resample(None)]:
            target.mux(stream.encode(ready))
        target.mux(stream.encode(None))
    return out.getvalue()


def spoken(samples: Samples) -> Samples:
    """Speech at a usual level with a quarter second of quiet around it."""
    return np.concatenate([quiet(0.25), level(samples, 0.08), quiet(0.25)])
