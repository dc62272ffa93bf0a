"""Reports are of the same model again and again, so they share its graph."""

from tests.commands.conftest import shared_pipeline

__all__ = ["shared_pipeline"]
