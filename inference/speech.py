"""Voice notes to text: one Whisper model per process behind a small protocol, and a verdict on every note.

Whisper always writes something: loops on silence, fluent mistranslation of languages it was not offered. So a
transcript is only as good as its verdict, and the verdict is part of the result.
"""

import asyncio
import math
import threading
import time
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path
from typing import Any, Literal, Protocol

import numpy as np
from numpy.typing import NDArray

from inference.audio import SAMPLE_RATE, AudioRejected, decode
from inference.errors import WeightsCorrupt
from inference.weights import require_model

Status = Literal["ok", "unclear", "rejected"]
_Samples = NDArray[np.float32]  # shape (n,), mono at SAMPLE_RATE

# Thresholds chosen on 86 real clips in it, en, es and pt (Whisper base, int8); word error rate there is .04
# at or above LOW_LOGPROB and .29 below it.
MIN_SPEECH_S = 0.25
"""Less voice than this, by the voice activity detector, is no speech."""
NO_SPEECH = 0.6
"""Whisper's own probability of "no speech" from which a window is dropped."""
MIN_LANGUAGE_MASS = 0.15
"""Below this probability summed over the business's languages the note is in none of them."""
FOREIGN_LANGUAGE = 0.85
"""Top probability from which a language outside the business's is named rather than doubted."""
MAX_COMPRESSION = 2.4
"""Bytes of text per zlib byte above which the text is a loop; OpenAI's own default."""
UNCLEAR_LOGPROB = -0.8
"""Mean token log-probability under which the words are not to be trusted."""
LOW_LOGPROB = -0.45
"""Mean token log-probability under which the words are echoed and confirmed before acting."""

PRIOR_WEIGHT = 3.0
"""How much likelier the conversation's language is than the others; removed both errors in 86 clips."""
BEAM_SIZE = 5
MAX_NEW_TOKENS = 224
"""Per window; bounds the time an unintelligible note can take."""
MAX_VOCABULARY_TOKENS = 160
"""Prompt, MAX_NEW_TOKENS and 4 control tokens must fit Whisper's 448-token context."""
WINDOW_S = 30.0
"""Whisper's encoder reads exactly this much at once."""
SPEECH_PADDING_S = 0.4
"""Kept on each side of detected speech: word onsets and endings are quieter than the detector's threshold."""


@dataclass(frozen=True)
class Transcript:
    """What a voice note says and how far to trust it.

    `status`: ok (act on it, but echo and confirm first when `low`), unclear (someone spoke; ask again) or
    rejected (nothing to transcribe; see `reason`). `reason` is None when ok; for unclear language_uncertain,
    repetitive, low_confidence or no_words; for rejected no_speech, unsupported_language or one of
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
        prior: str | None = None,
        vocabulary: Sequence[str] = (),
    ) -> Transcript:
        """The transcript of one note in any common container.

        `languages`: ISO 639-1 codes the business serves ("pt-BR" counts as "pt"); empty means any. `prior`:
        the conversation's language so far. `vocabulary`: names of services, people and places to expect, the
        likeliest first. Bad audio is a rejected Transcript, never an error; raises ModelMissing or
        WeightsCorrupt.
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
        # CTranslate2 and the audio decoder release the GIL. A pool of our own, rather than a semaphore on the
        # default one, keeps its bound when a caller is cancelled while its thread works on.
        self._pool = ThreadPoolExecutor(num_workers, thread_name_prefix="whisper")

    async def warm_up(self) -> None:
        """Loads the model now. Raises ModelMissing or WeightsCorrupt."""
        await asyncio.get_running_loop().run_in_executor(self._pool, self._load)

    async def transcribe(
        self,
        audio: bytes,
        *,
        languages: Sequence[str],
        prior: str | None = None,
        vocabulary: Sequence[str] = (),
    ) -> Transcript:
        """See Transcriber.transcribe."""
        wanted = tuple(dict.fromkeys(_base_code(code) for code in languages))
        work = partial(self._work, audio, wanted, _base_code(prior) if prior else None, tuple(vocabulary))
        return await asyncio.get_running_loop().run_in_executor(self._pool, work)

    def close(self) -> None:
        """Ends the threads once running notes are done; notes still waiting are cancelled."""
        self._pool.shutdown(wait=True, cancel_futures=True)

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
                compute_type=self._compute_type,
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
        self, audio: bytes, languages: tuple[str, ...], prior: str | None, vocabulary: tuple[str, ...]
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


def _base_code(code: str) -> str:
    return code.replace("_", "-").split("-")[0].lower()


def _hear(
    model: Any, samples: _Samples, languages: tuple[str, ...], prior: str | None, vocabulary: tuple[str, ...]
) -> Transcript:
    """The verdict, in order: no speech, foreign language, then the words themselves."""
    windows = _speech_windows(samples)
    hearings = [hearing for window in windows if (hearing := _listen(model, window)).no_speech < NO_SPEECH]
    if not hearings:
        return Transcript("rejected", reason="no_speech")
    chances = _mean_chances(hearings)
    allowed = {code: chance for code, chance in chances.items() if not languages or code in languages}
    if sum(allowed.values()) < MIN_LANGUAGE_MASS:
        top = max(chances, key=lambda code: chances[code])
        if chances[top] >= FOREIGN_LANGUAGE:
            return Transcript("rejected", language=top, reason="unsupported_language")
        # Nothing is decoded: forced into another language, Whisper writes a fluent mistranslation.
        return Transcript("unclear", reason="language_uncertain")
    if prior in allowed:
        allowed[prior] *= PRIOR_WEIGHT
    language = max(allowed, key=lambda code: allowed[code])
    return _judge(_decode_all(model, hearings, language, vocabulary), language)


def _judge(words: _Words, language: str) -> Transcript:
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


def _speech_windows(samples: _Samples) -> list[_Samples]:
    """The speech alone, cut at pauses into windows of at most WINDOW_S; none if there is too little of it."""
    from faster_whisper.vad import VadOptions, get_speech_timestamps

    # Padding is added below: padded here, a 30 ms click would count as 0.8 s of speech.
    options = VadOptions(speech_pad_ms=0, max_speech_duration_s=WINDOW_S - 2 * SPEECH_PADDING_S)
    spans = [(span["start"], span["end"]) for span in get_speech_timestamps(samples, options)]
    if sum(end - start for start, end in spans) < MIN_SPEECH_S * SAMPLE_RATE:
        return []
    return [np.concatenate(pieces) for pieces in _packed(samples, _padded(spans, len(samples)))]


def _padded(spans: list[tuple[int, int]], length: int) -> Iterator[tuple[int, int]]:
    """Spans in samples, each widened by SPEECH_PADDING_S but never past the middle of the pause beside it."""
    padding = int(SPEECH_PADDING_S * SAMPLE_RATE)
    for i, (start, end) in enumerate(spans):
        earliest = (spans[i - 1][1] + start) // 2 if i else 0
        latest = (end + spans[i + 1][0]) // 2 if i + 1 < len(spans) else length
        yield max(earliest, start - padding), min(latest, end + padding)


def _packed(samples: _Samples, spans: Iterator[tuple[int, int]]) -> Iterator[list[_Samples]]:
    """Consecutive spans gathered until the next one would not fit the window."""
    pieces: list[_Samples] = []
    room = int(WINDOW_S * SAMPLE_RATE)
    for start, end in spans:
        if pieces and end - start > room:
            yield pieces
            pieces, room = [], int(WINDOW_S * SAMPLE_RATE)
        pieces.append(samples[start:end])
        room -= end - start
    if pieces:
        yield pieces


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
            hearing.features, tokenizer, _options(tokenizer, prompt), False, hearing.encoded
        )
    )
    tokens = sum(len(segment.tokens) for segment in segments)
    return _Words(
        text=" ".join(segment.text.strip() for segment in segments).strip(),
        logprob=sum(segment.avg_logprob * len(segment.tokens) for segment in segments) / max(tokens, 1),
        tokens=tokens,
        compression=max((segment.compression_ratio for segment in segments), default=0.0),
    )


def _options(tokenizer: Any, prompt: str | None) -> Any:
    """Fresh for each window: faster-whisper writes into it. Other values are its own defaults."""
    from faster_whisper.transcribe import TranscriptionOptions, get_suppressed_tokens

    return TranscriptionOptions(
        beam_size=BEAM_SIZE,
        max_new_tokens=MAX_NEW_TOKENS,
        initial_prompt=prompt,
        condition_on_previous_text=False,
        # One temperature and no threshold: the retries those trigger took 20 s on a 5 s note.
        temperatures=[0.0],
        log_prob_threshold=None,
        no_speech_threshold=None,
        compression_ratio_threshold=None,
        suppress_tokens=get_suppressed_tokens(tokenizer, [-1]),
        best_of=5,
        patience=1,
        length_penalty=1,
        repetition_penalty=1,
        no_repeat_ngram_size=0,
        prompt_reset_on_temperature=0.5,
        prefix=None,
        suppress_blank=True,
        without_timestamps=False,
        max_initial_timestamp=1.0,
        word_timestamps=False,
        prepend_punctuations="",
        append_punctuations="",
        multilingual=False,
        clip_timestamps="0",
        hallucination_silence_threshold=None,
        hotwords=None,
    )
