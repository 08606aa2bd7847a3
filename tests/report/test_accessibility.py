"""The page as axe-core sees it in a browser, where the tests find both.

COMPLAINTNLP_AXE names axe.min.js (of the npm package axe-core), COMPLAINTNLP_CHROMIUM the browser, if it is not on the
path. axe is put into a copy of the page, so neither node nor a web driver is needed, and no network.
"""

from __future__ import annotations

import html
import json
import os
import re
import shutil
import subprocess
from pathlib import Path
from typing import Any

import pandas as pd
import pytest
from tests.conftest import ROOT

import complaintnlp as cn
from complaintnlp.model import Model
from complaintnlp.report import write_report

_RUN = """
<script>{axe}</script>
<script>
axe.run(document, {{resultTypes: ["violations"]}}).then(found => {{
  const told = found.violations.flatMap(v => v.nodes.map(n => [v.impact, v.id, n.html.slice(0, 99), n.failureSummary]));
  const box = document.createElement("pre");
  box.id = "found-by-axe";
  box.textContent = JSON.stringify({{told, version: found.testEngine.version}});
  document.body.append(box);
}});
</script>
</body>
"""


@pytest.fixture(scope="module")
def axe() -> str:
    path = os.environ.get("COMPLAINTNLP_AXE")
    if path is None:
        pytest.skip("axe-core was not found: set COMPLAINTNLP_AXE to its axe.min.js")
    return Path(path).read_text("utf-8")


@pytest.fixture(scope="module")
def chromium() -> str:
    found = os.environ.get("COMPLAINTNLP_CHROMIUM") or shutil.which("chromium") or shutil.which("google-chrome")
    if found is None:
        pytest.skip("no browser was found: no `chromium` on the path, and COMPLAINTNLP_CHROMIUM is not set")
    return found


@pytest.fixture(scope="module")
def tagged(shipped: Model) -> Any:
    """The example export of `make demo`."""
    return cn.classify_cases(cn.read_cases(ROOT / "data" / "examples" / "complaints.csv", problems=[]), shipped)


def violations(axe: str, chromium: str, page: Path, width: int) -> list[list[str]]:
    source = page.read_text("utf-8")
    # The page's own policy lets no script run.
    source, policies = re.subn(r'<meta http-equiv="Content-Security-Policy"[^>]*>', "", source)
    assert policies == 1
    copy = page.with_name("with_axe.html")
    copy.write_text(source.replace("</body>", _RUN.format(axe=axe.replace("</script", "<\\/script"))), "utf-8")
    options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={page.parent / 'profile'}"]
    options += [f"--window-size={width},900", "--virtual-time-budget=60000", "--dump-dom", copy.as_uri()]
    shown = subprocess.run([chromium, *options], check=True, capture_output=True, timeout=240).stdout.decode("utf-8")
    told = re.search(r'<pre id="found-by-axe">(.*?)</pre>', shown, re.DOTALL)
    assert told, "axe did not finish"
    found: list[list[str]] = json.loads(html.unescape(told[1]))["told"]
    return found


@pytest.mark.parametrize("width", [1280, 390])
@pytest.mark.parametrize("disclosure", ["none", "under5"])
def test_axe_finds_nothing_serious(
    axe: str, chromium: str, tagged: Any, tmp_path: Path, disclosure: str, width: int
) -> None:
    quotes = 2 if disclosure == "none" else 0
    folder = write_report(tagged, tmp_path, by=["organisation"], disclosure=disclosure, quotes=quotes)
    found = violations(axe, chromium, folder / "report.html", width)
    assert [one for one in found if one[0] in ("serious", "critical")] == []


def test_axe_would_find_it(axe: str, chromium: str, cases: pd.DataFrame, tmp_path: Path) -> None:
    page = write_report(cases, tmp_path) / "report.html"
    page.write_text(page.read_text("utf-8").replace("<h2", '<img src="data:,"><h2', 1), "utf-8")
    assert ["critical", "image-alt"] in [one[:2] for one in violations(axe, chromium, page, 1280)]
