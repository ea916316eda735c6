"""On what a run stands: which model, which prompt, which weights."""

import hashlib
from collections.abc import Iterable
from dataclasses import replace
from pathlib import Path

from evals.result import Result
from inference.classify import WEIGHTS
from nodes.generate import PROMPT
from sara.settings import Settings

_DIGITS = 12


def stamped(result: Result, settings: Settings) -> Result:
    """The result with the chat model, where the suite names none, and the hashes of prompts and weights."""
    stamp = {"prompt": hash_of([PROMPT]), "weights sha256": hash_of(sorted(WEIGHTS.glob("*")))}
    return replace(result, about={"model": settings.llm, **result.about, **stamp})


def hash_of(files: Iterable[Path]) -> str:
    """The first digits of the SHA-256 over the files' names and bytes, in their order."""
    digest = hashlib.sha256()
    for file in files:
        content = file.read_bytes()
        # Lengths keep the end of one file from passing for the beginning of the next.
        digest.update(f"{file.name}:{len(content)}:".encode() + content)
    return digest.hexdigest()[:_DIGITS]
