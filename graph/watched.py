"""Nodes, each measured where somebody watches."""

from collections.abc import Awaitable, Callable
from functools import wraps
from typing import Any, TypeVar, cast

from langgraph.runtime import Runtime

from graph.context import Context
from graph.state import State

Node = TypeVar("Node", bound=Callable[..., Awaitable[Any]])


def watched(node: Node) -> Node:
    """The node, measured by `Context.watch`. It keeps its annotations: the drawn edges come from them."""
    name = getattr(node, "__name__", "node")

    @wraps(node)
    async def step(state: State, runtime: Runtime[Context]) -> Any:
        watch = runtime.context.watch
        if watch is None:
            return await node(state, runtime)
        with watch(name):
            return await node(state, runtime)

    return cast(Node, step)
