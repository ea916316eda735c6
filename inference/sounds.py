"""What a recording without speech is: quiet and noise are one thing to a customer, music is another."""

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE

FRAME = 1024
"""Samples: 64 ms, long enough to tell two neighbouring tones of a melody apart."""
BAND_HZ = (80, 4000)
"""Where melodies are, and where speech would be."""
LOUD = 0.01
"""Root mean square from which a frame can be heard: -40 dB of full scale."""
MUSICAL_SHARE = 0.5
"""Share of the recording that must be loud and made of tones."""
FLAT = 0.05
"""Spectral flatness under which a frame is tonal: melodies have up to 0.03, rumble 0.08, noise 0.56."""


def is_music(samples: NDArray[np.float32]) -> bool:
    """Whether most of a recording, float32 of shape (n,) at SAMPLE_RATE, is made of audible tones.

    Asked only where no speech was found: a sung song without words, a ring tone, a melody behind nothing.
    """
    frames = samples[: len(samples) // FRAME * FRAME].reshape(-1, FRAME)
    if not len(frames):
        return False
    loud = np.sqrt((frames.astype(np.float64) ** 2).mean(axis=1)) > LOUD
    if loud.mean() < MUSICAL_SHARE:
        return False
    power = np.abs(np.fft.rfft(frames * np.hanning(FRAME), axis=1)) ** 2
    hertz = np.fft.rfftfreq(FRAME, 1 / SAMPLE_RATE)
    band = power[:, (hertz >= BAND_HZ[0]) & (hertz <= BAND_HZ[1])] + 1e-12
    flatness = np.exp(np.log(band).mean(axis=1)) / band.mean(axis=1)
    return bool((loud & (flatness < FLAT)).mean() >= MUSICAL_SHARE)
