"""What several test modules share: one small model, trained once, and the shipped one."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import settings

import complaintnlp as cn
from complaintnlp.model import Model
from tests.samples import small_cases

ROOT = Path(__file__).parents[1]

# No test is timed: a busy machine is no defect.
settings.register_profile("untimed", deadline=None)
settings.load_profile("untimed")


@pytest.fixture(scope="session")
def toy() -> Model:
    """A model that knows the sentences above."""
    return cn.train(small_cases(), name="toy", version="9")


@pytest.fixture(scope="session")
def shipped() -> Model:
    """The shipped model."""
    return cn.load()


@pytest.fixture
def write(tmp_path: Path) -> Callable[[str, str | bytes], Path]:
    """Write a file into the test's folder."""

    def write_file(name: str, content: str | bytes) -> Path:
        path = tmp_path / name
        path.write_bytes(content.encode() if isinstance(content, str) else content)
        return path

    return write_file


@pytest.fixture(scope="session")
def shared_data() -> Path:
    """Real labelled text to measure on, which is no part of the project."""
    folder = Path(os.environ.get("COMPLAINTNLP_SHARED_DATA", ROOT / ".." / "shared" / "data"))
    if not folder.is_dir():
        pytest.skip(f"no real text to measure on: {folder} is not there (set COMPLAINTNLP_SHARED_DATA)")
    return folder
