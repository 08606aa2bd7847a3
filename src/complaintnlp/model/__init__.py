"""Readings -> themes: features, estimator, calibration, and the model folder."""

from complaintnlp.model.folder import load, save
from complaintnlp.model.model import Evidence, Model, Tagged

__all__ = ["Evidence", "Model", "Tagged", "load", "save"]
