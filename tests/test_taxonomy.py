from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from complaintnlp import Taxonomy
from complaintnlp.taxonomy import Theme


def test_the_package_s_own() -> None:
    taxonomy = Taxonomy.default()
    assert taxonomy.ids == ("investigation_quality", "care_failure", "communication")
    assert len(taxonomy.subtheme_ids) == 25
    assert taxonomy["medication"].label == "Medication"
    for theme in taxonomy.themes:
        assert theme.definition
        assert theme.examples
        assert all(subtheme.definition and subtheme.examples for subtheme in theme.subthemes)


@given(st.text(st.characters(exclude_categories=["Cs"]), min_size=1), st.text(st.characters(exclude_categories=["Cs"])))
def test_what_is_written_is_read_back(label: str, definition: str) -> None:
    taxonomy = Taxonomy("n", "1", (Theme("a", label, definition, examples=(label,), subthemes=(Theme("b", label),)),))
    assert Taxonomy.from_toml(taxonomy.to_toml()) == taxonomy
    assert Taxonomy.from_toml(Taxonomy.default().to_toml()) == Taxonomy.default()


@pytest.mark.parametrize("ids", [(), ("a", "a"), ("a; b",), ("",), (" a",), ("none",)])
def test_ids_that_can_not_be(ids: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match="taxonomy"):
        Taxonomy.from_ids(ids)


@pytest.mark.parametrize("content", ["not toml =", "name = 1", 'name = "a"\nversion = "1"\ntheme = 3'])
def test_a_file_that_is_no_taxonomy(tmp_path: Path, content: str) -> None:
    path = tmp_path / "t.toml"
    path.write_text(content)
    with pytest.raises(ValueError, match="not a taxonomy"):
        Taxonomy.read(path)
    with pytest.raises(KeyError):
        Taxonomy.default()["nonsense"]
