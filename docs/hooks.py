"""What mkdocs is told beside the pages in docs/: pages made of the code, and files that lie elsewhere in the repository.

Pages of commands, of Python names and of measurements are made anew in every build, so that they cannot be out of date.
"""

import io
import os
import re
import textwrap
import tomllib
from collections.abc import Iterator
from contextlib import redirect_stdout, suppress
from dataclasses import is_dataclass
from importlib import import_module
from pathlib import Path
from posixpath import dirname, normpath, relpath

from mkdocs.config.defaults import MkDocsConfig
from mkdocs.plugins import event_priority
from mkdocs.structure.files import File, Files
from mkdocs.structure.pages import Page

ROOT = Path(__file__).parent.parent
ELSEWHERE = (
    "notebooks/*.ipynb",
    "notebooks/course/*.ipynb",
    "pictures/*.png",
    "pictures/concepts/*.svg",
    "studies/*.svg",
    "studies/*.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
)
"""Files outside of docs/ that the site has, under their path in the repository."""
LINK = re.compile(r"(\]\(|src=\")([^)\"\s#:]+)((?:#[^)\s]*)?[)\"])")
"""A link or picture to a file: what stands before its address, the address, and what stands behind it."""
GLOSSARIES = (ROOT / "analyses" / "reports" / "glossary.toml", ROOT / "docs" / "glossary.toml")
"""Files of words: what a page of a network shows on hover, and the words that only commands and tables use."""
COLUMNS = "80"
"""Width of a command's help, in characters."""


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated and what lies elsewhere."""
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File(str(path.relative_to(ROOT)), str(ROOT), config.site_dir, config.use_directory_urls))
    for name, written in GENERATED.items():
        files.append(File.generated(config, name, content=written()))
    return files


def on_page_markdown(markdown: str, page: Page, config: MkDocsConfig, files: Files) -> str:
    """Links out of docs/, which are right in the repository, as links to where the site has that file."""
    here = dirname(page.file.src_uri)

    def moved(link: re.Match[str]) -> str:
        start, target, end = link.groups()
        # From the root of the repository: pages of docs/ lie one folder deeper there than in the site.
        home = "" if (ROOT / page.file.src_uri).exists() and not (ROOT / "docs" / page.file.src_uri).exists() else "docs"
        path = normpath(f"{home}/{here}/{target}".lstrip("/"))
        inside = path.removeprefix("docs/")
        return f"{start}{relpath(inside, here or '.')}{end}" if files.get_file_from_path(inside) else link.group()

    return LINK.sub(moved, markdown)


def commands() -> str:
    """The page of all commands that the project installs: what each says when asked for help."""
    scripts: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
    head = "# Commands\n\nWhat each command says of itself, in the version that these pages were built from: `COMMAND --help`."
    parts = [f"## {name}\n\n{_fenced(_help(entry))}" for name, entry in scripts.items()]
    return "\n\n".join([head, *parts])


def _help(entry: str) -> str:
    """What a command prints for --help."""
    module, _, function = entry.partition(":")
    printed = io.StringIO()
    os.environ["COLUMNS"] = COLUMNS
    with redirect_stdout(printed), suppress(SystemExit):
        getattr(import_module(module), function)(["--help"])
    said, box, options = printed.getvalue().partition("╭")
    return "\n\n".join(map(_wrapped, said.strip().split("\n\n"))) + f"\n\n{box}{options}"


def _wrapped(paragraph: str) -> str:
    """A paragraph in lines that fit; lists, which are indented, stay as they are."""
    return paragraph if re.search(r"^ ", paragraph, re.MULTILINE) else textwrap.fill(paragraph, int(COLUMNS))


def _fenced(text: str) -> str:
    return f"```text\n{text.strip()}\n```"


def python() -> str:
    """The page of what ``import interp`` gives, and of the whole answer from Python."""
    import interp

    head = "# Python\n\n`import interp, analyses`: what trains, stores and loads networks, and what can be asked of a circuit."
    names = [_home(name) for name in sorted(interp.__all__, key=str.lower)]
    shown = ["analyses.reports.report.report", "analyses.findings.finding.Finding"]
    parts = [head, "## interp", *map(_documented, names), "## analyses", *map(_documented, shown)]
    return "\n\n".join(parts)


def _home(name: str) -> str:
    """Where a name of interp is documented: where it is defined, or for a value where it is assigned."""
    import interp

    value = getattr(interp, name)
    module = getattr(value, "__module__", None) if callable(value) else None
    return f"{module}.{name}" if module else next(_assigned(name))


def _assigned(name: str) -> Iterator[str]:
    """Modules that interp takes a value of this name from."""
    for line in (ROOT / "interp" / "__init__.py").read_text().splitlines():
        if match := re.match(rf"from (\S+) import .*\b{name}\b", line):
            yield f"{match[1]}.{name}"


def measurements() -> str:
    """The page of all measurements, by the chapter of a report that they stand in."""
    from analyses.chapters import CHAPTERS
    from analyses.findings.measurement import MEASUREMENTS

    parts = [
        "# Measurements",
        "Each is a function `analyses.NAME(circuit)` that gives a finding, and `interp-analyze --only NAME`.",
    ]
    for folder, chapter in CHAPTERS.items():
        mine = sorted(name for name, each in MEASUREMENTS.items() if each.measure.__module__.startswith(f"analyses.{folder}."))
        parts.append(f"## {chapter.title}")
        for name in mine:
            module = import_module(MEASUREMENTS[name].measure.__module__)
            values = [key for key, value in vars(module).items() if is_dataclass(value) and value.__module__ == module.__name__]
            parts += [_documented(f"{module.__name__}.{name}"), *(_documented(f"{module.__name__}.{key}", 4) for key in values)]
    return "\n\n".join(parts)


def files_on_disk() -> str:
    """The page of the files that are written: what the modules that write them say."""
    written = {
        "A checkpoint": "interp.files.checkpoint",
        "A run": "interp.training.run",
        "The rows of a sweep": "interp.sweep.dataset",
    }
    parts = [f"## {title}\n\n{_fenced(import_module(module).__doc__ or '')}" for title, module in written.items()]
    return "\n\n".join(["# Files", *parts])


def glossary() -> str:
    """The page of all words with their sentences: those that a page of a network explains, and those of docs/glossary.toml."""
    words = {word: each for file in GLOSSARIES for word, each in tomllib.loads(file.read_text())["terms"].items()}
    parts = [
        "# Glossary",
        "A sentence for every word that commands, tables and pages use; the [concepts](concepts/grokking.md) take their time.",
    ]
    for word, each in sorted(words.items(), key=lambda item: item[0].lower()):
        others = [other for other in each.get("also", ()) if not other.startswith(word[:-1])]  # without plurals
        also = f" Also: {', '.join(others)}." if others else ""
        parts.append(f"## {word}\n\n{each['says']}{also}")
    return "\n\n".join(parts)


def _documented(identifier: str, level: int = 3) -> str:
    """What mkdocstrings makes the documentation of; of a finding its fields, since every one has a table and a figure."""
    hidden = "" if level == 3 else ', separate_signature: false, filters: ["!^_", "!^table$", "!^figure$", "!^to_dict$"]'
    return f"::: {identifier}\n    options: {{heading_level: {level}{hidden}}}"


GENERATED = {
    "reference/commands.md": commands,
    "reference/python.md": python,
    "reference/measurements.md": measurements,
    "reference/files.md": files_on_disk,
    "glossary.md": glossary,
}
"""Pages that are made in every build, and what makes them."""
