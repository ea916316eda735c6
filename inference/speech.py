"""Voice notes to text: one Whisper model per process behind a small protocol, and a verdict on every note.

Whisper always writes something: loops on silence, fluent mistranslation of languages it was not offered. So a
transcript is only as good as its verdict, and the verdict is part of the result.
"""

import asyncio
import math
import threading
import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE, AudioRejected, decode
from inference.codes import base_code
from inference.decoding import decoding_options
from inference.errors import WeightsCorrupt
from inference.phantoms import only_music, phantom
from inference.sounds import is_music
from inference.speech_windows import speech_windows
from inference.weights import require_model

Status = Literal["ok", "unclear", "rejected"]
Prior = str | Mapping[str, float] | None
"""What is known beforehand: the conversation's language, or how much likelier (≥ 1) each language is."""
Vocabulary = Sequence[str] | Mapping[str, Sequence[str]]
"""Words to expect, the likeliest first; or such words by language, of which the spoken one's are used."""
_Samples = NDArray[np.float32]  # shape (n,), mono at SAMPLE_RATE

# Thresholds chosen on 86 real clips in it, en, es and pt (Whisper base, int8); word error rate there is .04
# at or above LOW_LOGPROB and .29 below it. Where it is said, on the dev split of evals/datasets/voice.
NO_SPEECH = 0.6
"""Whisper's own probability of "no speech" from which a window is dropped."""
MIN_LANGUAGE_MASS = 0.6
"""Below this probability summed over the business's languages the note is in none of them.

Notes of the voice corpus' dev split have 0.94 and more, as have 24 real Brazilian clips; speech in other
languages, forced into these, reads fluently and has up to 0.53.
"""
FOREIGN_LANGUAGE = 0.85
"""Top probability from which a language outside the business's is named rather than doubted."""
MAX_COMPRESSION = 2.4
"""Bytes of text per zlib byte above which the text is a loop; OpenAI's own default."""
UNCLEAR_LOGPROB = -0.55
"""Mean token log-probability under which the words are not to be trusted.

Halfway between the voice corpus' dev notes, -0.45 and more, and its junk, up to -0.63: voices at once and
other languages. Of 24 real Brazilian clips the three under it have a word error rate of 0.50.
"""
LOW_LOGPROB = -0.45
"""Mean token log-probability under which the words are echoed and confirmed before acting."""

SECOND_LANGUAGE = 0.02
"""Probability from which another of the business's languages is tried when the likeliest reads badly."""

PRIOR_WEIGHT = 3.0
"""How much likelier the conversation's language is than the others; removed both errors in 86 clips."""
MAX_VOCABULARY_TOKENS = 160
"""Prompt, decoding.MAX_NEW_TOKENS and 4 control tokens must fit Whisper's 448-token context."""


@dataclass(frozen=True)
class Transcript:
    """What a voice note says and how far to trust it.

    `status`: ok (act on it, but echo and confirm first when `low`), unclear (someone spoke; ask again) or
    rejected (nothing to transcribe; see `reason`). `reason` is None when ok; for unclear language_uncertain,
    repetitive, low_confidence or no_words; for rejected no_speech, music, unsupported_language or one of
    `inference.audio.Reason`. `text` of an unclear note is a guess for a human's eyes. `language` is an ISO
    639-1 code, None if unknown. `confidence` 0..1 is the geometric mean probability of the words.
    `duration_s` is the note's length, `seconds` the work it took, both in seconds.
    """

    status: Status
    text: str = ""
    language: str | None = None
    confidence: float = 0.0
    duration_s: float = 0.0
    seconds: float = 0.0
    reason: str | None = None
    low: bool = False


class Transcriber(Protocol):
    """Turns a voice note into a Transcript."""

    async def transcribe(
        self,
        audio: bytes,
        *,
        languages: Sequence[str],
        prior: Prior = None,
        vocabulary: Vocabulary = (),
    ) -> Transcript:
        """The transcript of one note in any common container.

        `languages`: ISO 639-1 codes the business serves ("pt-BR" counts as "pt"); empty means any. `prior`:
        the conversation's language so far, or weights of several languages. `vocabulary`: names of services,
        people and places to expect, the likeliest first, in one list or one for each language. Bad audio is
        a rejected Transcript, never an error; raises ModelMissing or WeightsCorrupt.
        """
        ...


@dataclass(frozen=True)
class _Hearing:
    """One window, encoded, with what Whisper thinks of it before any word is decoded."""

    features: NDArray[np.float32]
    encoded: Any
    languages: dict[str, float]
    no_speech: float


@dataclass(frozen=True)
class _Words:
    """Decoded words of one or more windows; `logprob` is the mean over `tokens`."""

    text: str
    logprob: float
    tokens: int
    compression: float


class WhisperTranscriber:
    """faster-whisper in a pool of `num_workers` threads, each note on `cpu_threads` cores.

    The model is loaded once, at the first note or by `warm_up`. At most `num_workers` notes are worked on at
    once and the others wait their turn; a cancelled note that has not started is dropped.
    """

    def __init__(
        self,
        model_dir: Path,
        *,
        num_workers: int,
        compute_type: str = "int8",
        cpu_threads: int = 1,
        max_seconds: float = 300.0,
        max_bytes: int = 16 * 2**20,
    ) -> None:
        self._model_dir = model_dir
        self._num_workers = num_workers
        self._compute_type = compute_type
        self._cpu_threads = cpu_threads
        self._max_seconds = max_seconds
        self._max_bytes = max_bytes
        self._loading = threading.Lock()
        self._model: Any = None
        self._rehearsed = False
        # CTranslate2 and the audio decoder release the GIL. A pool of our own, rather than a semaphore on the
        # default one, keeps its bound when a caller is cancelled while its thread works on.
        self._pool = ThreadPoolExecutor(num_workers, thread_name_prefix="whisper")

    async def warm_up(self) -> None:
        """Loads the model now and lets it hear a moment of silence: no customer pays for the first run.

        Raises ModelMissing or WeightsCorrupt.
        """
        await asyncio.get_running_loop().run_in_executor(self._pool, self._rehearse)

    async def transcribe(
        self,
        audio: bytes,
        *,
        languages: Sequence[str],
        prior: Prior = None,
        vocabulary: Vocabulary = (),
    ) -> Transcript:
        """See Transcriber.transcribe."""
        wanted = tuple(dict.fromkeys(base_code(code) for code in languages))
        work = partial(self._work, audio, wanted, _weights(prior), vocabulary)
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Ends the threads once running notes are done; notes still waiting are cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)

    def _rehearse(self) -> None:
        model = self._load()
        with self._loading:
            if not self._rehearsed:
                silence = np.zeros(SAMPLE_RATE, dtype=np.float32)
                speech_windows(silence)
                _listen(model, silence)
                self._rehearsed = True

    def _load(self) -> Any:
        with self._loading:
            if self._model is None:
                self._model = self._open_model()
            return self._model

    def _open_model(self) -> Any:
        from faster_whisper import WhisperModel
        from faster_whisper.vad import get_vad_model

        get_vad_model()  # cached per process, but two threads must not build it at once
        try:
            return WhisperModel(
                str(require_model(self._model_dir)),
                device="cpu",
                compute_type=_compute_type(self._compute_type),
                cpu_threads=self._cpu_threads,
                num_workers=self._num_workers,
                local_files_only=True,
            )
        except RuntimeError as error:
            raise WeightsCorrupt(
                f"Whisper weights in {self._model_dir} cannot be read ({error}): delete that directory and "
                "install them again."
            ) from error

    def _work(
        self, audio: bytes, languages: tuple[str, ...], prior: Mapping[str, float], vocabulary: Vocabulary
    ) -> Transcript:
        started = time.perf_counter()
        try:
            clip = decode(audio, max_seconds=self._max_seconds, max_bytes=self._max_bytes)
        except AudioRejected as error:
            found = Transcript("rejected", duration_s=error.duration_s, reason=error.reason)
        else:
            heard = _hear(self._load(), clip.samples, languages, prior, vocabulary)
            found = replace(heard, duration_s=clip.duration_s)
        return replace(found, seconds=time.perf_counter() - started)


def transcript_row(path: str, transcript: Transcript) -> dict[str, object]:
    """The row of `sara transcribe --json` for the file at `path`."""
    return {
        "file": path,
        "status": transcript.status,
        "text": transcript.text,
        "language": transcript.language,
        "confidence": round(transcript.confidence, 3),
        "duration_s": round(transcript.duration_s, 3),
        "seconds": round(transcript.seconds, 3),
        "reason": transcript.reason,
    }


def _weights(prior: Prior) -> dict[str, float]:
    """The prior as weights by ISO 639-1 code."""
    if prior is None:
        return {}
    if isinstance(prior, str):
        return {base_code(prior): PRIOR_WEIGHT}
    return {base_code(code): weight for code, weight in prior.items()}


def _compute_type(wanted: str) -> str:
    """The type asked for; for "auto" the fastest this processor has for which accuracy was measured."""
    import ctranslate2

    if wanted != "auto":
        return wanted
    return "int8" if "int8" in ctranslate2.get_supported_compute_types("cpu") else "float32"


def _hear(
    model: Any,
    samples: _Samples,
    languages: tuple[str, ...],
    prior: Mapping[str, float],
    vocabulary: Vocabulary,
) -> Transcript:
    """The verdict, in order: no speech, foreign language, then the words themselves."""
    windows = speech_windows(samples)
    hearings = [hearing for window in windows if (hearing := _listen(model, window)).no_speech < NO_SPEECH]
    if not hearings:
        return Transcript("rejected", reason="music" if is_music(samples) else "no_speech")
    chances = _mean_chances(hearings)
    allowed = {code: chance for code, chance in chances.items() if not languages or code in languages}
    if sum(allowed.values()) < MIN_LANGUAGE_MASS:
        top = max(chances, key=lambda code: chances[code])
        if chances[top] >= FOREIGN_LANGUAGE:
            return Transcript("rejected", language=top, reason="unsupported_language")
        # Nothing is decoded: forced into another language, Whisper writes a fluent mistranslation.
        return Transcript("unclear", reason="language_uncertain")
    language, *others = sorted(allowed, key=lambda code: -allowed[code] * prior.get(code, 1.0))
    words = _decode_all(model, hearings, language, _expected(vocabulary, language))
    if words.logprob < LOW_LOGPROB and others and allowed[others[0]] >= SECOND_LANGUAGE:
        # A Spanish speaker with an Italian accent reads badly as Italian and well as Spanish.
        again = _decode_all(model, hearings, others[0], _expected(vocabulary, others[0]))
        if again.text and again.logprob >= LOW_LOGPROB and again.compression <= MAX_COMPRESSION:
            language, words = others[0], again
    return _judge(words, language)


def _expected(vocabulary: Vocabulary, language: str) -> tuple[str, ...]:
    return tuple(vocabulary.get(language, ()) if isinstance(vocabulary, Mapping) else vocabulary)


def _judge(words: _Words, language: str) -> Transcript:
    if only_music(words.text):
        return Transcript("rejected", reason="music")
    if phantom(words.text):
        return Transcript("rejected", reason="no_speech")
    reason = None
    if not words.text:
        reason = "no_words"
    elif words.compression > MAX_COMPRESSION:
        reason = "repetitive"
    elif words.logprob < UNCLEAR_LOGPROB:
        reason = "low_confidence"
    return Transcript(
        "unclear" if reason else "ok",
        text=words.text,
        language=language,
        confidence=min(1.0, math.exp(words.logprob)) if words.text else 0.0,
        reason=reason,
        low=reason is None and words.logprob < LOW_LOGPROB,
    )


def _listen(model: Any, window: _Samples) -> _Hearing:
    """Encodes a window once and reads language and no-speech probabilities off that single pass."""
    from faster_whisper.audio import pad_or_trim

    features = model.feature_extractor(window)
    frames = min(model.feature_extractor.nb_max_frames, features.shape[-1] - 1)
    encoded = model.encode(pad_or_trim(features[:, :frames]))
    if model.model.is_multilingual:
        languages = {token[2:-2]: chance for token, chance in model.model.detect_language(encoded)[0]}
    else:
        languages = {"en": 1.0}
    # Asked without the vocabulary prompt, which shifts it; it is read before any language token.
    start = model.hf_tokenizer.token_to_id("<|startoftranscript|>")
    first = model.model.generate(encoded, [[start]], beam_size=1, max_length=2, return_no_speech_prob=True)
    return _Hearing(features, encoded, languages, first[0].no_speech_prob)


def _mean_chances(hearings: list[_Hearing]) -> dict[str, float]:
    codes = hearings[0].languages
    return {code: sum(hearing.languages[code] for hearing in hearings) / len(hearings) for code in codes}


def _decode_all(model: Any, hearings: list[_Hearing], language: str, vocabulary: tuple[str, ...]) -> _Words:
    """Words of every window, with the mean log-probability over all of them and the worst repetition."""
    from faster_whisper.tokenizer import Tokenizer

    tokenizer = Tokenizer(model.hf_tokenizer, model.model.is_multilingual, "transcribe", language)
    prompt = _prompt(tokenizer, vocabulary)
    parts = [_decode_window(model, hearing, tokenizer, prompt) for hearing in hearings]
    tokens = sum(part.tokens for part in parts)
    return _Words(
        text=" ".join(part.text for part in parts if part.text),
        logprob=sum(part.logprob * part.tokens for part in parts) / max(tokens, 1),
        tokens=tokens,
        compression=max(part.compression for part in parts),
    )


def _prompt(tokenizer: Any, vocabulary: tuple[str, ...]) -> str | None:
    """As many leading vocabulary words as fit MAX_VOCABULARY_TOKENS."""
    prompt = ""
    for word in vocabulary:
        longer = f"{prompt}, {word.strip()}" if prompt else word.strip()
        if len(tokenizer.encode(f" {longer}.")) > MAX_VOCABULARY_TOKENS:
            break
        prompt = longer
    return f"{prompt}." if prompt else None


def _decode_window(model: Any, hearing: _Hearing, tokenizer: Any, prompt: str | None) -> _Words:
    segments = list(
        model.generate_segments(
            hearing.features, tokenizer, decoding_options(tokenizer, prompt), False, hearing.encoded
        )
    )
    tokens = sum(len(segment.tokens) for segment in segments)
    return _Words(
        text=" ".join(segment.text.strip() for segment in segments).strip(),
        logprob=sum(segment.avg_logprob * len(segment.tokens) for segment in segments) / max(tokens, 1),
        tokens=tokens,
        compression=max((segment.compression_ratio for segment in segments), default=0.0),
    )
