"""How Whisper is asked for words: one beam search, no second attempt."""

from typing import Any

BEAM_SIZE = 5
MAX_NEW_TOKENS = 224
"""Per window; bounds the time an unintelligible note can take."""


def decoding_options(tokenizer: Any, prompt: str | None) -> Any:
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
