"""A strict reader of the LaTeX that tables are written in; anything unusual fails a test."""

import re
import shutil
import subprocess

TOKEN = re.compile(r"\\\\|\\[a-zA-Z]+(?:\{\})?|\\[&%$#_{}]|[{}&]|[^\\{}&]")
SYMBOLS = {
    r"\textbackslash{}": "\\",
    r"\textasciitilde{}": "~",
    r"\textasciicircum{}": "^",
    r"\textless{}": "<",
    r"\textgreater{}": ">",
    r"\textbar{}": "|",
    r"\textasciigrave{}": "`",
    r"\textpm{}": "±",
    **{f"\\{mark}": mark for mark in "&%$#_{}"},
}
RULES = {r"\toprule", r"\midrule", r"\bottomrule"}


def read_latex(text):
    """Returns the rows of a table's cells, the header's first, and the caption."""
    first, *lines = text.splitlines()
    assert first.startswith("% needs")
    assert r"\usepackage{booktabs}" in first
    assert [line.strip() for line in lines if re.match(r"\s*\\(begin|end)", line)] == [
        r"\begin{table}",
        next(line.strip() for line in lines if r"\begin{tabular}" in line),
        r"\end{tabular}",
        r"\end{table}",
    ]
    start = next(at for at, line in enumerate(lines) if r"\begin{tabular}" in line)
    end = lines.index(r"  \end{tabular}")
    spec = re.fullmatch(r"\s*\\begin\{tabular\}\{([lr]+)\}", lines[start])[1]
    rules = [line.strip() for line in lines[start + 1 : end] if line.strip() in RULES]
    assert rules == [r"\toprule", r"\midrule", r"\bottomrule"]
    rows = [cells(line) for line in lines[start + 1 : end] if line.strip() not in RULES]
    assert {len(row) for row in rows} == {len(spec)}
    caption = ""
    for line in lines[:start] + lines[end + 1 :]:
        if found := re.fullmatch(r"\s*\\caption\{(.*)\}", line):
            caption = plain(found[1])
        elif found := re.fullmatch(r"\s*\\par\{\\footnotesize (.*)\\par\}", line):
            plain(found[1])
        else:
            assert line.strip() in (r"\centering", r"\begin{table}", r"\end{table}"), line
    return rows, caption


def cells(line):
    """Returns the cells of one row, which has to end with the sign of a row's end."""
    line = line.strip()
    assert line.endswith(r" \\"), line
    parts = [[]]
    for token in tokens(line[:-3]):
        if token == "&":
            parts.append([])
        else:
            parts[-1].append(token)
    return [plain("".join(part)).strip() for part in parts]


def tokens(text):
    found = TOKEN.findall(text)
    assert "".join(found) == text, f"a backslash that begins nothing in {text!r}"
    return found


def plain(text):
    """Returns the text that LaTeX would print."""
    depth, printed = 0, []
    for token in tokens(text):
        depth += {"{": 1, "}": -1}.get(token, 0)
        assert depth >= 0, f"a brace too many in {text!r}"
        assert token not in set("&#$%^_~"), f"{token} is not escaped in {text!r}"
        if len(token) > 1:
            assert token in SYMBOLS, f"{token} in {text!r}"
        printed.append("" if token in "{}" else SYMBOLS.get(token, token))
    assert not depth, f"a brace too few in {text!r}"
    return "".join(printed)


def compile_latex(text, folder):
    """Compiles a table where there is a program for it; returns whether there is one."""
    programs = {
        "tectonic": ["tectonic", "table.tex"],
        "pdflatex": ["pdflatex", "-interaction=nonstopmode", "-halt-on-error", "table.tex"],
    }
    command = next((each for name, each in programs.items() if shutil.which(name)), None)
    if command is None:
        return False
    head = "\\documentclass{article}\n\\usepackage{booktabs}\n\\begin{document}\n"
    (folder / "table.tex").write_text(f"{head}{text}\\end{{document}}\n", encoding="utf-8")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True)
    assert done.returncode == 0, done.stdout[-2000:]
    return True
