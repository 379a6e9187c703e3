#!/usr/bin/env python3
"""Draws docs/summary.svg: what `alongside detect fixtures/two-days` prints, as a terminal shows it.

    python3 docs/picture.py target/release/alongside
"""
import html
import pathlib
import subprocess
import sys
import tempfile

root = pathlib.Path(__file__).resolve().parent.parent
binary = pathlib.Path(sys.argv[1]).resolve()
with tempfile.TemporaryDirectory() as scratch:
    command = [str(binary), "detect", "fixtures/two-days", "-o", f"{scratch}/out"]
    text = subprocess.run(command, cwd=root, check=True, capture_output=True, text=True).stdout.replace(scratch + "/", "")

lines = ["$ alongside detect fixtures/two-days -o out", ""] + text.rstrip().split("\n")
width_chars, line_height, left = 150, 17, 16
wrapped = []
for line in lines:
    line = line.rstrip()
    wrapped.append(line if len(line) <= width_chars else line[: width_chars - 1] + "…")
height = line_height * len(wrapped) + 28
out = [
    f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {int(width_chars * 7.25) + 2 * left} {height}" role="img" aria-label="Summary of a run">',
    "<title>Summary of a run over the two-day fixture</title>",
    f'<rect width="100%" height="{height}" rx="8" fill="#10202c"/>',
    '<g font-family="ui-monospace, SFMono-Regular, Menlo, Consolas, monospace" font-size="12" fill="#d7e3ea" xml:space="preserve">',
]
for k, line in enumerate(wrapped):
    fill = ' fill="#7fd1b9"' if line.startswith("$") else ' fill="#9fb6c3"' if line.startswith(("conf", "events ", "rows")) else ""
    out.append(f'<text x="{left}" y="{26 + k * line_height}"{fill}>{html.escape(line)}</text>')
out += ["</g>", "</svg>", ""]
(root / "docs" / "summary.svg").write_text("\n".join(out))
