"""Checkpoints: `state` and `memory` are what a run remembers besides weights, `folder` which of them are whole."""
