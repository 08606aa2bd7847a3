"""Text -> what the model reads: words, sentences with offsets, concepts, scope; identifiers masked.

The pipeline is spaCy's blank English with three components of ours and one `span_ruler`; each is registered
under a versioned name and can be used in a pipeline of your own:

>>> import spacy
>>> nlp = spacy.blank("en")
>>> _ = nlp.add_pipe("complaintnlp_identifiers_v1")
>>> doc = nlp("Dr Lowe rang from 01632 960777.")
>>> [(span.text, span.label_) for span in doc.spans["identifiers"]]
[('Lowe', 'name'), ('01632 960777', 'phone')]
"""

from complaintnlp.language.pipeline import (
    LONGEST_TEXT,
    Reading,
    Sentence,
    has_words,
    load_language,
    make_language,
    read_texts,
    save_language,
    warm_up,
)

__all__ = [
    "LONGEST_TEXT",
    "Reading",
    "Sentence",
    "has_words",
    "load_language",
    "make_language",
    "read_texts",
    "save_language",
    "warm_up",
]
