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

from complaintnlp.language.pipeline import encoder_of, load_language, make_language, save_language, warm_up
from complaintnlp.language.readings import LONGEST_TEXT, Readings, has_words, incidence, read_texts, word_offsets

__all__ = [
    "LONGEST_TEXT",
    "Readings",
    "encoder_of",
    "has_words",
    "incidence",
    "load_language",
    "make_language",
    "read_texts",
    "save_language",
    "warm_up",
    "word_offsets",
]
