"""A chat model behind a gate: asked no more often at once than its engine has places for."""

from inference.chat import Answered, ChatModel, Request
from inference.errors import EngineBusy
from inference.gate import Gate, Whose, nobody


class LimitedChat:
    """The same answers; `whose` says for which business one is asked for."""

    def __init__(self, model: ChatModel, gate: Gate, whose: Whose = nobody) -> None:
        self._model = model
        self._gate = gate
        self._whose = whose

    @property
    def name(self) -> str:
        """The model's."""
        return self._model.name

    async def propose(self, request: Request) -> Answered:
        """As the model's own. An engine that says it is full is asked again while there is time.

        Raises EngineBusy when there was no place in time, and what the model raises.
        """
        deadline = self._gate.deadline()
        while True:
            async with self._gate.place(self._whose(), deadline):
                try:
                    return await self._model.propose(request)
                except EngineBusy as busy:
                    self._gate.close(busy.again_s)
