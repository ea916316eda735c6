"""Recordings without a voice: melodies are told from silence, noise and rumble."""

import numpy as np
import pytest
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE
from inference.sounds import is_music

SECONDS = 4
CHANCE = np.random.default_rng(20261126)
TIME = np.arange(SECONDS * SAMPLE_RATE) / SAMPLE_RATE


def melody(loudness: float = 0.2) -> NDArray[np.float32]:
    """Eight notes of half a second with two overtones."""
    notes = np.repeat([262.0, 330.0, 392.0, 523.0, 392.0, 330.0, 262.0, 196.0], SAMPLE_RATE // 2)
    phase = 2 * np.pi * np.cumsum(notes) / SAMPLE_RATE
    return (loudness * sum(np.sin(n * phase) / n for n in (1, 2, 3))).astype(np.float32)


def noise(colour: float, loudness: float = 0.2) -> NDArray[np.float32]:
    """Noise whose power falls with frequency to the power of `colour`: 0 white, 1 pink, 2 brown."""
    spectrum = np.fft.rfft(CHANCE.standard_normal(len(TIME)))
    spectrum[1:] /= np.fft.rfftfreq(len(TIME))[1:] ** (colour / 2)
    made = np.fft.irfft(spectrum)
    return (loudness * made / np.abs(made).max()).astype(np.float32)


def test_a_melody_is_music_in_noise_too() -> None:
    assert is_music(melody())
    assert is_music(melody() + noise(0, 0.05))


@pytest.mark.parametrize("colour", [0, 1])
def test_noise_is_not(colour: int) -> None:
    assert not is_music(noise(colour))


def test_what_nobody_can_hear_is_not() -> None:
    assert not is_music(np.zeros(len(TIME), np.float32))
    assert not is_music(melody(0.001))
    assert not is_music(np.zeros(100, np.float32))


def test_a_beep_in_a_long_silence_is_not() -> None:
    beep = np.zeros(len(TIME), np.float32)
    beep[:8000] = 0.3 * np.sin(2 * np.pi * 880 * TIME[:8000])
    assert not is_music(beep)
