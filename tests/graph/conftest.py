"""The same stage as the nodes'."""

from tests.nodes.conftest import opened_stage, stage

__all__ = ["opened_stage", "stage"]
