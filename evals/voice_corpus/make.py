"""Makes evals/datasets/voice and evals/datasets/voice.jsonl again.

Run by hand when sentences, voices or noises change; suites and tests read the committed files only:
    python -m evals.voice_corpus.make --voices FOLDER
FOLDER holds Kokoro's voices; evals/datasets/voice/README.md says where they and the synthesisers come from.
"""

import argparse
import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import yaml

from evals.dataset import DATASETS
from evals.suites.voice_made import MADE
from evals.voice_corpus import junk
from evals.voice_corpus.cast import (
    DEV_CAST,
    DEV_NOISES,
    FOREIGN_CAST,
    LANGUAGES,
    SECOND_FOREIGN_CAST,
    TEST_CAST,
    TEST_NOISES,
)
from evals.voice_corpus.sounds import RATE, Samples, behind, crowd, melody, note, phone, spoken, street
from evals.voice_corpus.speakers import Person, Speakers

FOLDER = DATASETS / "voice"
SENTENCES = Path(__file__).with_name("sentences.yaml")


class Corpus:
    """Files and rows as they are made."""

    def __init__(self, speakers: Speakers, sentences: dict[str, Any]) -> None:
        self._speakers = speakers
        self._sentences = sentences
        self.rows: list[dict[str, object]] = []

    def notes(
        self, language: str, split: str, cast: Sequence[Person], noises: Sequence[tuple[str, Any]]
    ) -> None:
        """Every sentence clean, and as many as there are noises again by another voice in noise."""
        texts = self._sentences[language][split]
        for number, text in enumerate(texts):
            person = cast[number % len(cast)]
            clean = spoken(self._speakers.say(text, language, person))
            self._note(language, split, number, text, person, "none", clean)
        for number, (noise, snr) in enumerate(noises):
            text = texts[(2 * number + 1) % len(texts)]
            person = cast[(number * 3 + 2) % len(cast)]
            clean = spoken(self._speakers.say(text, language, person))
            random = np.random.default_rng(1000 * LANGUAGES.index(language) + number + (split == "dev") * 500)
            noisy = self._noisy(clean, noise, snr, random)
            self._note(language, split, number, text, person, noise, noisy)

    def _note(
        self, language: str, split: str, number: int, text: str, person: Person, noise: str, heard: Samples
    ) -> None:
        name = (
            f"{language}_{split}_{number:02d}_{'clean' if noise == 'none' else noise.replace('é', 'e')}.ogg"
        )
        row = {"text": text, "language": language, "voice": person.name, "noise": noise}
        self._add(name, split, "note", note(heard), row)

    def _noisy(self, clean: Samples, noise: str, snr: float | None, random: np.random.Generator) -> Samples:
        seconds = len(clean) / RATE
        if noise == "phone" or snr is None:
            return phone(behind(clean, street(seconds, random), 25))
        if noise == "street":
            return behind(clean, street(seconds, random), snr)
        if noise == "music":
            tune = "".join(random.choice(list("cdefgabC "), 24))
            return behind(clean, melody(tune, 0.3), snr)
        return behind(clean, crowd(list(self.extras("dev").values()), seconds, random), snr)

    def extras(self, split: str) -> dict[str, Samples]:
        """A sentence of each language, for babble, overlap and the like; made once per split."""
        kept: dict[str, dict[str, Samples]] = self.__dict__.setdefault("_extras", {})
        if split not in kept:
            cast = {code: (DEV_CAST if split == "dev" else TEST_CAST)[code][1] for code in LANGUAGES}
            kept[split] = {
                code: spoken(self._speakers.say(self._sentences[code][split][1], code, cast[code]))
                for code in LANGUAGES
            }
        return kept[split]

    def junk(self, split: str) -> None:
        """All junk of a split; foreign speech too."""
        random = np.random.default_rng(7 if split == "test" else 8)
        said = self.extras(split)
        made = [*junk.sounds(random, dev=split == "dev"), *junk.voices(said, random)]
        if split == "test":
            made += junk.files(note(said["it"]), said["it"], random)
        for name, kind, content in made:
            self._add(f"junk_{split}_{name}", split, kind, content, {})
        for code, texts in self._sentences["foreign"].items():
            voice = (
                FOREIGN_CAST[code] if split == "test" else SECOND_FOREIGN_CAST.get(code, FOREIGN_CAST[code])
            )
            person = Person((voice,), 1.0 if split == "test" else 0.95)
            text = texts[0 if split == "test" else 1]
            heard = spoken(self._speakers.say(text, code, person))
            row = {"text": text, "language": code, "voice": person.name}
            self._add(f"junk_{split}_foreign_{code}.ogg", split, "foreign", note(heard), row)

    def large(self) -> None:
        """Notes too large to keep, made out of a small one when they are heard."""
        for make in MADE:
            row = {"text": "", "language": "", "kind": "duration", "split": "test", "make": make}
            self.rows.append({"file": "voice/it_test_00_clean.ogg", **row})

    def _add(self, name: str, split: str, kind: str, content: bytes, more: dict[str, Any]) -> None:
        (FOLDER / name).write_bytes(content)
        row: dict[str, object] = {"file": f"voice/{name}", "text": "", "language": ""}
        self.rows.append({**row, **more, "kind": kind, "split": split})


def main() -> None:
    """Writes the corpus."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--voices", type=Path, required=True, help="folder of Kokoro's *.bin voices")
    parser.add_argument("--cache", type=Path, help="existing folder to keep spoken sentences in")
    given = parser.parse_args()
    speakers = Speakers(given.voices, given.cache)
    readme = (FOLDER / "README.md").read_bytes() if (FOLDER / "README.md").exists() else b""
    shutil.rmtree(FOLDER, ignore_errors=True)
    FOLDER.mkdir()
    if readme:
        (FOLDER / "README.md").write_bytes(readme)
    corpus = Corpus(speakers, yaml.safe_load(SENTENCES.read_text(encoding="utf-8")))
    for language in LANGUAGES:
        corpus.notes(language, "test", TEST_CAST[language], TEST_NOISES)
        corpus.notes(language, "dev", DEV_CAST[language], DEV_NOISES)
    for split in ("test", "dev"):
        corpus.junk(split)
    corpus.large()
    lines = "".join(json.dumps(row, ensure_ascii=False) + "\n" for row in corpus.rows)
    FOLDER.with_suffix(".jsonl").write_text(lines, encoding="utf-8")


if __name__ == "__main__":
    main()
