"""Turn narratives written in plain text with marked spans into corpus JSONL, and back.

People write and correct text; programs want offsets. This keeps the two in step:

    python scripts/corpus_markup.py encode drafts/mh-wards.txt data/corpus/mh-wards.jsonl
    python scripts/corpus_markup.py decode data/corpus/mh-wards.jsonl drafts/mh-wards.txt
    python scripts/corpus_markup.py check  drafts/mh-wards.txt

A narrative is a header line and its text:

    ### letter; daughter; acute; high; -
    Nobody could fault the day staff. [[medication: At night her tablets were forgotten twice]] and
    [[staff_attitude,listening: when I said so the nurse laughed at me]].

The header holds register, writer, service, grade and outcome, in the challenge file also the kind.
The grade is the severity (`low`, `medium`,
`high`) or, where nothing is raised, `none` or `near` (raises nothing but looks as if it did). A span is
`[[subtheme: words]]`; `!` after the subtheme means upheld, `~` not upheld: `[[consent!: we found ...]]`.
"""

from __future__ import annotations

import argparse
import json
import re
import sys
from collections import Counter
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from complaintnlp.taxonomy import Taxonomy

REGISTERS = frozenset(
    """
    letter email web_form comment call_note meeting_note summary trust_reply advocate_letter
    mp_letter solicitor_letter survey social_post
    """.split()
)
SERVICES = frozenset(
    """
    mental_health acute emergency maternity primary_care dental ambulance community prison
    social_care children cancer end_of_life learning_disability pharmacy optical other
    """.split()
)
GRADES = frozenset(["low", "medium", "high", "none", "near"])
OUTCOMES = frozenset(["-", "upheld", "partly_upheld", "not_upheld", "resolved_early", "withdrawn"])
FINDINGS = {"": "raised", "!": "upheld", "~": "not_upheld"}
MARKS = {finding: mark for mark, finding in FINDINGS.items()}
SPAN = re.compile(r"\[\[([a-z_,!~ ]+):[ \n]?(.*?)\]\]", re.DOTALL)


class MarkupError(ValueError):
    """A narrative that can't be read, with its place in the file."""


def encode(draft: str, batch: str, taxonomy: Taxonomy) -> Iterator[dict[str, Any]]:
    """Yield one corpus record for each narrative of a marked-up draft.

    Raises:
        MarkupError: naming the narrative, counted from 1, and what is wrong with it.
    """
    pieces = re.split(r"^### ?(.*)$", draft, flags=re.MULTILINE)
    for number, (header, body) in enumerate(zip(pieces[1::2], pieces[2::2], strict=True), 1):
        try:
            yield _record(f"{batch}-{number:03d}", header, body, batch, taxonomy)
        except ValueError as error:
            raise MarkupError(f"{batch}, narrative {number} ({header.strip()}): {error}") from None


def _record(case_id: str, header: str, body: str, batch: str, taxonomy: Taxonomy) -> dict[str, Any]:
    fields = [field.strip() for field in header.split(";")]
    if len(fields) not in (5, 6):
        raise ValueError(f"the header has {len(fields)} fields, not 5 or 6")
    register, writer, service, grade, outcome, *challenge = fields
    for value, allowed in ((register, REGISTERS), (service, SERVICES), (grade, GRADES), (outcome, OUTCOMES)):
        if value not in allowed:
            raise ValueError(f"{value!r} is not one of {', '.join(sorted(allowed))}")
    text, spans = _read_spans(body.strip("\n"), taxonomy)
    if not text.strip():
        raise ValueError("the text is empty")
    if bool(spans) == (grade in ("none", "near")):
        raise ValueError(f"grade {grade!r} with {len(spans)} marked spans")
    found = {span["subtheme"] for span in spans}
    return {
        "case_id": case_id,
        "text": text,
        "themes": [t.id for t in taxonomy.themes if any(s["theme"] == t.id for s in spans)],
        "subthemes": [s.id for t in taxonomy.themes for s in t.subthemes if s.id in found],
        "spans": spans,
        "severity": None if grade in ("none", "near") else grade,
        "outcome": None if outcome == "-" else outcome,
        "kind": grade if grade in ("none", "near") else "complaint",
        "register": register,
        "writer": writer,
        "service": service,
        "batch": batch,
        **({"challenge": challenge[0]} if challenge else {}),
    }


def _read_spans(body: str, taxonomy: Taxonomy) -> tuple[str, list[dict[str, Any]]]:
    parent = {s.id: t.id for t in taxonomy.themes for s in t.subthemes}
    out: list[str] = []
    spans: list[dict[str, Any]] = []
    length = last = 0
    for match in SPAN.finditer(body):
        before, inside = body[last : match.start()], match[2]
        out += [before, inside]
        start = length + len(before)
        length = start + len(inside)
        last = match.end()
        for tag in match[1].split(","):
            subtheme = tag.strip().rstrip("!~")
            if subtheme not in parent:
                raise ValueError(f"no subtheme {subtheme!r}")
            finding = FINDINGS[tag.strip()[len(subtheme) :]]
            spans.append(
                {
                    "start": start,
                    "end": length,
                    "theme": parent[subtheme],
                    "subtheme": subtheme,
                    "finding": finding,
                }
            )
    out.append(body[last:])
    text = "".join(out)
    if "[[" in text or "]]" in text:
        raise ValueError(
            "a span is not closed, is nested, or its tag is malformed, near "
            f"character {max(text.find('[['), text.find(']]'))}"
        )
    return text, spans


def decode(record: dict[str, Any]) -> str:
    """The marked-up form of one corpus record; `encode` undoes it."""
    grade = record["severity"] or record["kind"]
    fields = [record["register"], record["writer"], record["service"], grade, record["outcome"] or "-"]
    if "challenge" in record:
        fields.append(record["challenge"])
    tags: dict[tuple[int, int], list[str]] = {}
    for span in record["spans"]:
        tags.setdefault((span["start"], span["end"]), []).append(span["subtheme"] + MARKS[span["finding"]])
    text, last, out = record["text"], 0, []
    for (start, end), names in sorted(tags.items()):
        out += [text[last:start], f"[[{','.join(names)}: {text[start:end]}]]"]
        last = end
    return f"### {'; '.join(fields)}\n{''.join(out)}{text[last:]}\n\n"


def summary(records: list[dict[str, Any]]) -> str:
    """Counts a writer wants to see: registers, kinds, themes, subthemes, lengths."""
    words = sorted(len(r["text"].split()) for r in records)
    raised = [r for r in records if r["spans"]]
    lines = [
        f"{len(records)} narratives, {sum(words)} words; median {words[len(words) // 2]}, "
        f"under 40: {sum(w < 40 for w in words)}, over 200: {sum(w > 200 for w in words)}, "
        f"over 800: {sum(w > 800 for w in words)}",
        f"subthemes per complaint {sum(len(r['subthemes']) for r in raised) / max(1, len(raised)):.2f}",
    ]
    for key in ("register", "kind", "severity", "outcome"):
        lines.append(f"{key}: {dict(Counter(str(r[key]) for r in records).most_common())}")
    lines.append(f"themes: {dict(Counter(' + '.join(r['themes']) or 'none' for r in records).most_common())}")
    lines.append(f"subthemes: {dict(Counter(s for r in records for s in r['subthemes']).most_common())}")
    lines.append(f"findings: {dict(Counter(s['finding'] for r in records for s in r['spans']))}")
    return "\n".join(lines)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("verb", choices=("encode", "decode", "check"))
    parser.add_argument("source", type=Path)
    parser.add_argument("target", type=Path, nargs="?")
    args = parser.parse_args()
    if (args.target is None) != (args.verb == "check"):
        parser.error("encode and decode take a source and a target, check only a source")
    taxonomy = Taxonomy.default()
    source = args.source.read_text(encoding="utf-8")
    if args.verb == "decode":
        args.target.write_text("".join(decode(json.loads(line)) for line in source.splitlines()), "utf-8")
        return 0
    try:
        records = list(encode(source, args.source.stem, taxonomy))
    except MarkupError as error:
        print(error, file=sys.stderr)
        return 2
    if args.verb == "encode":
        rows = (json.dumps(record, ensure_ascii=False) + "\n" for record in records)
        args.target.write_text("".join(rows), encoding="utf-8")
    print(summary(records))
    return 0


if __name__ == "__main__":
    sys.exit(main())
