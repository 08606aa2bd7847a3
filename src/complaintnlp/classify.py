"""Cases -> tagged cases: one pure function on record batches, and the runners that call it."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pyarrow as pa

from complaintnlp.cases import EVIDENCE_JOIN, RowProblem, as_table, find_roles, with_roles
from complaintnlp.errors import InputError
from complaintnlp.files import first_row, read_batches, write_batches
from complaintnlp.files.write import check_target
from complaintnlp.model import Model, Tagged, load

if TYPE_CHECKING:
    import datasets

SHARD_ROWS = 512


def classify_cases(
    cases: Any, model: Model | None = None, *, text: str | None = None, jobs: int = 1
) -> datasets.Dataset:
    """Tag cases with the themes that they raise.

    Args:
        cases: what `read_cases` returns, or anything that it reads.
        model: the shipped model where it is left out.
        text: the column of the narratives, where it is not called as usual.
        jobs: processes to use; -1 for one a core.

    Returns:
        The same rows in the same order, with every column as it was and these added: `themes` (ids joined by
        `; `), `p_<theme id>` for each theme, `evidence` (the strongest sentence of each theme raised), `status`
        and `model`.

    Raises:
        InputError: when there is no text column, or a column of those names is there already.
    """
    import datasets

    model = load() if model is None else model
    table = with_roles(as_table(cases), {"text": text})
    schema = tagged_schema(table.schema, model)
    tagged = _run(model, table.to_batches(max_chunksize=SHARD_ROWS), "text", jobs)
    return datasets.Dataset(pa.Table.from_batches(tagged, schema))


def classify_file(
    source: str | Path,
    target: str | Path,
    model: Model,
    *,
    text: str | None = None,
    id: str | None = None,
    jobs: int = 1,
    raw: bool = False,
    problems: list[RowProblem] | None = None,
    progress: Callable[[int], object] = bool,
) -> dict[str, int]:
    """Tag an export, file to file, holding a few shards at a time.

    Args:
        source, target: files; their endings say the formats.
        model, text, jobs: as `classify_cases`.
        id: the column of the ids, used in what is said of problem rows; checked to be there.
        raw: as `write_batches`.
        problems: problem rows are appended here.
        progress: called with the number of rows after each shard.

    Returns:
        How many rows have each status.
    """
    found: list[RowProblem] = [] if problems is None else problems
    check_target(target)
    schema, batches = read_batches(source, lambda *args: found.append(RowProblem(*args)))
    column = find_roles(schema.names, {"text": text, "case_id": id}, name=str(source))["text"]
    statuses: dict[str, int] = {}

    def watched() -> Iterator[pa.RecordBatch]:
        row = first_row(schema)
        for batch in _run(model, batches, column, jobs):
            for status in batch.column("status").to_pylist():
                statuses[status] = statuses.get(status, 0) + 1
                if status in ("empty", "too_long"):
                    found.append(RowProblem(row, column, _WHY[status]))
                row += 1
            progress(batch.num_rows)
            yield batch

    write_batches(target, tagged_schema(schema, model), watched(), raw=raw)
    return statuses


def tag_batch(batch: pa.RecordBatch, model: Model, text: str) -> pa.RecordBatch:
    """Tag one batch: a pure function, the same for a laptop and a cluster.

    Args:
        batch: any columns, among them the narratives.
        model: the model.
        text: the name of the column of the narratives.

    Returns:
        The batch, row for row, with the columns of `tagged_schema`.
    """
    texts = batch.column(text).to_pylist()
    tagged = model.classify([None if value is None else str(value) for value in texts])
    columns: list[pa.Array] = [pa.array(["; ".join(one.themes) for one in tagged], pa.string())]
    for theme in model.taxonomy.ids:
        columns.append(pa.array([_probability(one, theme) for one in tagged], pa.float64()))
    columns.append(pa.array(map(_subthemes_cell, tagged), pa.string()))
    columns.append(pa.array(map(_findings_cell, tagged), pa.string()))
    columns.append(pa.array(map(_evidence_cell, tagged, texts), pa.string()))
    columns.append(pa.array([one.status for one in tagged], pa.string()))
    columns.append(pa.array([f"{model.name} {model.version}"] * batch.num_rows, pa.string()))
    return pa.RecordBatch.from_arrays([*batch.columns, *columns], schema=tagged_schema(batch.schema, model))


def tagged_schema(schema: pa.Schema, model: Model) -> pa.Schema:
    """The schema of tagged rows; raises InputError where a column that is added is there already."""
    added = [
        pa.field("themes", pa.string()),
        *(pa.field(f"p_{theme}", pa.float64()) for theme in model.taxonomy.ids),
        pa.field("subthemes", pa.string()),
        pa.field("findings", pa.string()),
        pa.field("evidence", pa.string()),
        pa.field("status", pa.string()),
        pa.field("model", pa.string()),
    ]
    for name in (field.name for field in added):
        if name in schema.names:
            raise InputError(
                f"the cases have a column {name!r} already, which tagging would add; if they were tagged before, "
                f"classify "
                "the original export, else rename that column"
            )
    # Metadata such as pandas' own describes the columns that were there before.
    return pa.schema([*schema, *added])


def _run(model: Model, batches: Iterable[pa.RecordBatch], text: str, jobs: int) -> Iterator[pa.RecordBatch]:
    """Tag batches in order, in this process or in several."""
    if jobs == 1:
        yield from (tag_batch(batch, model, text) for batch in batches)
        return
    import joblib

    # Processes load the model once each; shards go over as Arrow, which pickles without copying twice.
    with _borrowed_folder(model) as folder:
        parallel = joblib.Parallel(n_jobs=jobs, return_as="generator", pre_dispatch="2*n_jobs", batch_size=1)
        yield from parallel(joblib.delayed(_tag_in_process)(batch, folder, text) for batch in batches)


def _borrowed_folder(model: Model) -> Any:
    """The model in a temporary folder that worker processes load it from."""
    import contextlib
    import tempfile

    from complaintnlp.model import save

    @contextlib.contextmanager
    def folder() -> Iterator[str]:
        with tempfile.TemporaryDirectory(prefix="complaintnlp-") as parent:
            yield str(save(model, Path(parent) / "model"))

    return folder()


_loaded: dict[str, Model] = {}
_loading = threading.Lock()


def _tag_in_process(batch: pa.RecordBatch, folder: str, text: str) -> pa.RecordBatch:
    with _loading:
        if folder not in _loaded:
            _loaded.clear()
            _loaded[folder] = load(folder)
    return tag_batch(batch, _loaded[folder], text)


def _probability(tagged: Tagged, theme: str) -> float | None:
    # A row that could not be read has no probability: 0 would say that it raises nothing.
    return None if tagged.status in _WHY else round(tagged.probabilities[theme], 6)


def _subthemes_cell(tagged: Tagged) -> str:
    return "; ".join(subtheme for theme in tagged.themes for subtheme in tagged.subthemes[theme])


def _findings_cell(tagged: Tagged) -> str:
    return "; ".join(f"{theme}: {tagged.findings[theme]}" for theme in tagged.themes)


def _evidence_cell(tagged: Tagged, text: Any) -> str:
    """The strongest sentence of each theme, themes apart, in the words of the text."""
    strongest: dict[str, str] = {}
    for piece in tagged.evidence:
        strongest.setdefault(piece.theme, " ".join(str(text)[piece.start : piece.end].split()))
    parts: Sequence[str] = list(dict.fromkeys(strongest.values()))
    return EVIDENCE_JOIN.join(parts)


_WHY = {
    "empty": "no words; kept with status 'empty'",
    "too_long": "over 100,000 characters, too long for a narrative; kept with status 'too_long'. Split or shorten it",
}
