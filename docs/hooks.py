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
    "pictures/*.png",
    "pictures/*.svg",
    "studies/*.svg",
    "studies/*.toml",
    "CHANGELOG.md",
    "CONTRIBUTING.md",
)
"""Files outside of docs/ that the site has, under their path in the repository."""
LINK = re.compile(r"(\]\()([^)\s#:]+)((?:#[^)\s]*)?\))")
COLUMNS = "80"
"""Width of a command's help, in characters."""


@event_priority(100)  # before mkdocs-jupyter looks for notebooks
def on_files(files: Files, config: MkDocsConfig) -> Files:
    """Add what is generated and what lies elsewhere."""
    for pattern in ELSEWHERE:
        for path in sorted(ROOT.glob(pattern)):
            files.append(File(str(path.relative_to(ROOT)), str(ROOT), config.site_dir, config.use_directory_urls))
    for name, content in (("commands", commands()), ("python", python()), ("measurements", measurements())):
        files.append(File.generated(config, f"reference/{name}.md", content=content))
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
    return "\n\n".join([head, *(f"## {name}\n\n{_fenced(_help(entry))}" for name, entry in scripts.items())])


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
    return "\n\n".join([head, "## interp", *map(_documented, names), "## analyses", *map(_documented, shown)])


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


def _documented(identifier: str, level: int = 3) -> str:
    """What mkdocstrings makes the documentation of; of a finding its fields, since every one has a table and a figure."""
    hidden = "" if level == 3 else ', separate_signature: false, filters: ["!^_", "!^table$", "!^figure$", "!^to_dict$"]'
    return f"::: {identifier}\n    options: {{heading_level: {level}{hidden}}}"
