"""Find what identifies a person, so that it is masked before anything is learned or shown.

A registered spaCy component, `complaintnlp_identifiers_v1`: it fills `doc.spans["identifiers"]` (labels below)
and sets the norm of every token in them to the label, such as `<name>`. The text itself stays as it is.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from spacy.language import Language
from spacy.tokens import Doc

SPANS_KEY = "identifiers"
TEXT_KEY = "complaintnlp_text"
"""Where `doc.user_data` may hold the text, which spaCy joins anew, token by token, at each asking for `doc.text`."""


def make_identifiers(nlp: Language, name: str) -> Callable[[Doc], Doc]:  # noqa: ARG001 - spaCy's signature
    """The factory behind `nlp.add_pipe("complaintnlp_identifiers_v1")`."""
    return mark_identifiers


if not Language.has_factory("complaintnlp_identifiers_v1"):
    Language.factory("complaintnlp_identifiers_v1", assigns=["doc.spans", "token.norm"], func=make_identifiers)


def mark_identifiers(doc: Doc) -> Doc:
    """Mark the identifiers of one Doc; see the module."""
    spans = []
    for label, start, end in find_identifiers(doc.user_data.get(TEXT_KEY) or doc.text):
        span = doc.char_span(start, end, label=label, alignment_mode="expand")
        if span is not None:
            spans.append(span)
            for token in span:
                token.norm_ = f"<{label}>"
    doc.spans[SPANS_KEY] = spans
    return doc


def find_identifiers(text: str) -> list[tuple[str, int, int]]:
    """Label, start and end of each identifier in a text, left to right, never overlapping.

    Labels: `nhs_number`, `ni_number`, `phone`, `email`, `postcode`, `address`, `birth_date`, `reference`,
    `name`, `number` (six digits or more that are none of these).

    >>> find_identifiers("Ring Mrs Okafor on 01632 960123")
    [('name', 9, 15), ('phone', 19, 31)]
    """
    found: list[tuple[int, int, str]] = []
    taken: list[tuple[int, int]] = []
    cues = {cue: cue(text) is not None for cue in _CUES}
    for kind in _KINDS:
        if kind.cue is not None and not cues[kind.cue]:
            continue
        for start, end in kind.find(text):
            if all(end <= s or start >= e for s, e in taken):
                taken.append((start, end))
                found.append((start, end, kind.label))
    return [(label, start, end) for start, end, label in sorted(found)]


def mask(text: str) -> str:
    """The text with each identifier replaced by its label.

    >>> mask("Dr Achebe, j.smith@example.org")
    'Dr [name], [email]'
    """
    out, last = [], 0
    for label, start, end in find_identifiers(text):
        out += [text[last:start], f"[{label}]"]
        last = end
    return "".join([*out, text[last:]])


def nhs_number_valid(digits: str) -> bool:
    """Whether ten digits are an NHS number: the last is 11 less the weighted sum of the others modulo 11.

    Source: NHS Data Dictionary, "NHS Number", check digit (Modulus 11). Scotland's CHI number has the same.

    >>> nhs_number_valid("9434765919"), nhs_number_valid("9434765918")
    (True, False)
    """
    total = sum(int(digit) * weight for digit, weight in zip(digits[:9], range(10, 1, -1), strict=True))
    check = (11 - total % 11) % 11
    return check != 10 and check == int(digits[9])


_Cue = Callable[[str], "re.Match[str] | None"]


@dataclass(frozen=True)
class _Kind:
    """One kind of identifier.

    Attributes:
        label: what it is masked by.
        pattern: group 1, if any, is what is masked.
        valid: a further check.
        cue: finds something, quickly, in every text in which the pattern does.
    """

    label: str
    pattern: re.Pattern[str]
    valid: Callable[[str], bool] | None = None
    cue: _Cue | None = None

    def find(self, text: str) -> Iterator[tuple[int, int]]:
        for match in self.pattern.finditer(text):
            start, end = match.span(1 if self.pattern.groups else 0)
            if self.valid is None or self.valid(text[start:end]):
                yield start, end


_at = re.compile("@").search
_line_break = re.compile("\n").search
_six_digits = re.compile(r"\d(?:[ ()-]{0,3}\d){5}").search
_birth = re.compile(r"(?i:b(?:orn|irth|\b))").search
_reference = re.compile(r"\d(?<=[A-Z0-9/._-]{2})|\d(?=[A-Z0-9/._-])").search
_joined = re.compile(r"[-/]\d\d").search
_inward = re.compile(r"\d[A-Z]{2}").search
_house = re.compile(r"\d[A-Za-z]? [A-Z]").search


def _is_nhs_number(found: str) -> bool:
    return nhs_number_valid(re.sub(r"\D", "", found))


_DATE = r"\d{1,2}(?:st|nd|rd|th)?[ ./-]*(?:of )?(?:\d{1,2}|[A-Z][a-z]{2,8})[ ,./-]*(?:\d{4}|\d{2})\b|\d{4}-\d{2}-\d{2}"
_CAPITAL = r"(?:[A-Z]['’][A-Z][a-z]+|Ma?c[A-Z][a-z]+|[A-Z][a-zà-öø-ÿ]+)(?:-[A-Z][a-zà-öø-ÿ]+)?"
# Words that begin with a capital after a title or a greeting and are no names.
_NOT_NAMES = (
    r"(?!(?:The|This|That|And|But|Who|When|Said|Told|Was|Were|Is|On|In|At|To|For|From|Team|Manager|Practitioner|"
    r"Consultant|Specialist|Sister|Sir|Madam|Trust|Hospital|Ward|Complaints?|Department|Patient|Staff)\b)"
)
# The patterns below begin with a set of letters, for which `re` scans fast, and then look back: no word runs into it.
_START = r"(?<![\w'’].)"
_TITLE = (
    rf"[MDPSNRFLCI]{_START}(?:(?<=M)(?:rs?|s|iss|x|atron|RS?|S)|(?<=D)(?:r|octor|ame|R)|"
    r"(?<=P)(?:rof(?:essor)?|astor)|"
    r"(?<=S)(?:ister|ir)|(?<=N)urse|(?<=R)(?:evd?|abbi)|(?<=F)(?:ather|r)|(?<=L)(?:ady|ord)|(?<=C)(?:llr|ouncillor)|(?<=I)mam)"
)
_CLOSING = (
    rf"[YyKkBbWwRrMmTtSsCc]{_START}(?:(?<=[Yy])ours (?:sincerely|faithfully|truly)|"
    r"(?<=[KkBbWw])(?:ind(?:est)?|est|arm) (?:regards|wishes)|(?<=[Rr])egards|(?<=[Mm])any thanks|"
    r"(?<=[Tt])hank(?:s| you)|(?<=[Ss])(?:igned|incerely)|(?<=[Cc])heers)"
)
_CALLED = rf"[MmSsNnI]{_START}(?:(?<=[Mm])y name is|(?<=[Ss])igned|(?<=[Nn])ame(?: ?:|d)|(?<=I) am called)"
_RELATION = (
    rf"[Mm]{_START}y (?:late )?(?:husband|wife|partner|son|daughter|mother|father|mum|mam|dad|brother|sister|nan|gran|"
    r"grandson|granddaughter|nephew|niece|friend|client)"
)
_TITLED = rf"(?:[A-Z]\.? )*(?:{_CAPITAL}|[A-Z]\b|[A-Z]{{3,}})(?: {_NOT_NAMES}{_CAPITAL}){{0,2}}"
_SIGNATURE = rf"(?:{_CAPITAL}|[A-Z]\.?)(?: (?:{_CAPITAL}|[A-Z]\.?)){{0,3}}"

# In order: what an earlier kind has taken, a later one leaves alone.
_KINDS = (
    _Kind("email", re.compile(r"[\w.+-]+@[\w-]+(?:\.[\w-]+)+"), cue=_at),
    _Kind(
        "reference",
        re.compile(
            r"(?i:\b(?:our |your |my )?(?:ref(?:erence)?|complaint|case|datix|incident|file|hospital|unit|mrn)"
            r"(?: ?(?:no|number|num|id|ref|reference))?\b\.?)[ :#.-]{1,3}"
            r"((?=[A-Z0-9/._-]*\d)[A-Z0-9][A-Z0-9/._-]{3,}[A-Z0-9])\b"
        ),
        cue=_reference,
    ),
    _Kind("reference", re.compile(r"\b[A-Z]{1,6}[-/]\d{2,}(?:[-/]\w+)*\b"), cue=_joined),
    _Kind(
        "birth_date",
        re.compile(rf"(?i:\b(?:d\.?o\.?b\.?|date of birth|born(?: on)?)\b)[ :.-]{{0,3}}(?:the )?({_DATE})"),
        cue=_birth,
    ),
    _Kind("nhs_number", re.compile(r"\b\d{3}[ -]?\d{3}[ -]?\d{4}\b"), _is_nhs_number, _six_digits),
    _Kind(
        "nhs_number",
        re.compile(r"(?i:\b(?:nhs|chi|h ?& ?c)(?: ?(?:no|number|num))?\.?)[ :#.-]{1,3}(\d{3}[ -]?\d{3}[ -]?\d{4})\b"),
        cue=_six_digits,
    ),
    _Kind(
        "ni_number",
        re.compile(r"\b[A-CEGHJ-PR-TW-Z][A-CEGHJ-NPR-TW-Z] ?\d{2} ?\d{2} ?\d{2} ?[A-D]\b", re.IGNORECASE),
        cue=_six_digits,
    ),
    _Kind(
        "phone",
        re.compile(r"(?<![\w+])(?:\+44[ -]?(?:\(0\))?|\(?0)\d(?:[ ()-]{0,2}\d){7,9}(?!\d)"),
        cue=_six_digits,
    ),
    _Kind(
        "postcode",
        re.compile(r"\b(?:GIR ?0AA|[A-Z]{1,2}\d[A-Z\d]? ?\d[ABD-HJLNP-UW-Z]{2})\b"),
        cue=_inward,
    ),
    _Kind(
        "address",
        re.compile(
            rf"\b(?:[Ff]lat \d+\w?,? )?\d{{1,4}}[A-Za-z]? {_CAPITAL}(?: {_CAPITAL})? "
            r"(?:Road|Rd|Street|St|Avenue|Ave|Lane|Close|Drive|Way|Crescent|Court|Place|Gardens|Terrace|Grove|Hill)\b"
        ),
        cue=_house,
    ),
    _Kind(
        "number",
        re.compile(r"(?<![\w.£])\d(?:[ -]?\d){5,}(?!\w)"),
        lambda d: len(re.sub(r"\D", "", d)) >= 6,
        _six_digits,
    ),
    _Kind("name", re.compile(rf"{_TITLE}\b\.? {_NOT_NAMES}({_TITLED})")),
    _Kind("name", re.compile(rf"{_CLOSING}[,.! ]*(?:\r?\n\s*)+(?:{_TITLE}\.? )?({_SIGNATURE})"), cue=_line_break),
    _Kind("name", re.compile(rf"{_CALLED} {_NOT_NAMES}({_CAPITAL}(?: {_CAPITAL}){{0,2}})")),
    _Kind("name", re.compile(rf"{_RELATION},? {_NOT_NAMES}({_CAPITAL}(?: {_CAPITAL})?)")),
)
_CUES = {kind.cue for kind in _KINDS if kind.cue is not None}
