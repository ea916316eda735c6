"""Models under the eyes of whoever watches the process: the same answers, counted and timed."""

import time
from collections.abc import Sequence

from inference.chat import Answered, ChatModel, Request
from inference.embed import Embedder, Vector
from inference.errors import BadModelOutput, EngineBusy, InferenceError, ModelUnavailable
from inference.speech import Prior, Transcriber, Transcript, Vocabulary
from jobs.watching import Watching


class MeteredChat:
    """One model of the chain."""

    def __init__(self, model: ChatModel, watching: Watching) -> None:
        self._model = model
        self._watching = watching

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    async def propose(self, request: Request) -> Answered:
        """As the model's own."""
        started, result, usage = time.perf_counter(), "failed", {}
        with self._watching.spans.span("chat", kind="client", model=self.name) as span:
            try:
                answered = await self._model.propose(request)
                result, usage = "ok", answered.usage
                return answered
            except EngineBusy:
                result = "busy"
                raise
            except ModelUnavailable:
                result = "unavailable"
                raise
            except BadModelOutput as error:
                result, usage = "bad_output", error.usage
                raise
            finally:
                self._watching.metrics.model(self.name, result, time.perf_counter() - started, usage)
                span.note(result=result, **usage)


class MeteredEmbedder:
    """The embedder of customers' messages."""

    def __init__(self, embedder: Embedder, watching: Watching) -> None:
        self._embedder = embedder
        self._watching = watching
        self.name = embedder.name
        self.dimensions = embedder.dimensions

    async def query(self, text: str) -> Vector:
        """As the embedder's own."""
        started = time.perf_counter()
        try:
            vector = await self._embedder.query(text)
        except InferenceError:
            self._watching.metrics.not_embedded()
            raise
        self._watching.metrics.embedded(time.perf_counter() - started)
        return vector

    async def passages(self, texts: Sequence[str]) -> Vector:
        """As the embedder's own: documents are taken in, nobody waits."""
        return await self._embedder.passages(texts)


class MeteredTranscriber:
    """The ear."""

    def __init__(self, transcriber: Transcriber, watching: Watching) -> None:
        self._transcriber = transcriber
        self._watching = watching

    async def transcribe(
        self, audio: bytes, *, languages: Sequence[str], prior: Prior = None, vocabulary: Vocabulary = ()
    ) -> Transcript:
        """As the transcriber's own."""
        started, status = time.perf_counter(), "failed"
        with self._watching.spans.span("listen") as span:
            try:
                transcript = await self._transcriber.transcribe(
                    audio, languages=languages, prior=prior, vocabulary=vocabulary
                )
                status = transcript.status
                return transcript
            finally:
                self._watching.metrics.heard(status, time.perf_counter() - started)
                span.note(status=status)
