"""Sentences and labelled cases that several tests learn from."""

from __future__ import annotations

RAISING = {
    "communication": [
        "Nobody told us she had been moved to another ward",
        "the receptionist was rude and shouted at me",
        "they never rang back although we left five messages",
        "the consultant did not listen to a word we said",
        "my results were sent to the wrong address",
        "no one explained the risks before the operation",
    ],
    "care_failure": [
        "He waited nine hours on a trolley without pain relief",
        "her tablets were forgotten twice",
        "they discharged him at night with no care package",
        "the fracture was missed by two doctors",
        "mum was left in a wet bed all morning",
        "he fell because nobody was watching him",
    ],
    "investigation_quality": [
        "Eight months later there is still no reply to our complaint",
        "the report leaves out half of our questions",
        "the investigator never spoke to the night staff",
        "your letter has the wrong dates throughout",
        "the manager we complained about wrote the answer himself",
        "there was no apology in the response at all",
    ],
}
QUIET = [
    "Thank you to all the staff, they were wonderful from start to finish",
    "Can you tell me where I can park on Sunday",
    "I left my umbrella in the waiting room",
    "Nothing to add, everything was fine",
    "Please send me a copy of my notes",
    "The new building is lovely and bright",
]


def small_cases() -> list[dict[str, str]]:
    """Labelled cases enough to train a toy on: every theme alone, in pairs, and none."""
    rows: list[dict[str, str]] = []
    themes = list(RAISING)
    for first in range(6):
        for place, theme in enumerate(themes):
            other = themes[(place + 1) % 3]
            rows.append({"text": RAISING[theme][first] + ".", "themes": theme})
            pair = f"{RAISING[theme][first]}. Also, {RAISING[other][(first + 2) % 6]}."
            rows.append({"text": pair, "themes": f"{theme}; {other}"})
        rows.append({"text": QUIET[first] + ".", "themes": ""})
        rows.append({"text": f"{QUIET[first]}. {QUIET[(first + 1) % 6]}!", "themes": ""})
    return [{"case_id": f"{i:03d}", **row} for i, row in enumerate(rows)]
