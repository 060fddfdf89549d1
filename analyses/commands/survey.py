"""interp-survey: what do the networks of a sweep do, and which share of them?"""

import json
import math
import sys
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Annotated

import tyro

from analyses.findings.picture import PictureStyle
from analyses.findings.table import Table
from analyses.reports.files import write_pictures
from analyses.survey.groups import grouped
from analyses.survey.page import in_words, survey_page
from analyses.survey.pictures import pictures
from analyses.survey.row import VERDICT
from analyses.survey.shares import plain, shares, shares_table
from interp.commands.command import output, run_command
from interp.commands.options import Common, InCommon, parse
from interp.errors import InterpError
from interp.files.atomic import write_atomically
from interp.sweep.dataset import Row, read_rows, read_tables

_DESCRIPTION = """\
Say what the networks of a sweep do: which share generalises, with which circuits, which share is explained, each with its
Wilson interval; by any column; as figures and as a page in which a click on a point opens the network's card.

Examples:
  interp-survey runs/census
  interp-survey runs/census --by d_model                           a row for every width (activation, label, circuit, ...)
  interp-survey runs/census --by attention_rate:0,.4,.5,.6,.7,.8,1   a row from edge to edge; without edges fifths
  interp-survey runs/census --html census.html --over attention_rate
  interp-survey runs/census --sql "select circuit, count(*), avg(coordinate) from networks group by circuit"
  interp-survey runs/census --sql "select name, test_loss from networks where not is_explained" --json

The table of a query is called networks; its columns are those of the rows (interp-survey DIR --sql "describe networks").

Exit codes: 0 said; 2 no rows to read, or impossible options.
"""


@dataclass(frozen=True, kw_only=True)
class Options:
    """What interp-survey can be told."""

    paths: Annotated[tuple[Path, ...], tyro.conf.Positional, tyro.conf.arg(metavar="DIR ...", help_behavior_hint="")]
    """Directories of sweeps, or Parquet files; the rows of several are put together."""
    by: tuple[str, ...] = ()
    """Columns to group by, with edges where wanted: attention_rate:0,.5,1."""
    over: str = "attention_rate"
    """Column of numbers over which the phase diagram is drawn."""
    json: bool = False
    """Print a JSON object per line: per group, or per row of a query."""
    sql: str = ""
    """A query to duckdb; the table is called networks."""
    html: Annotated[Path | None, tyro.conf.arg(metavar="PAGE.html")] = None
    """Write a page: shares, figures, and the card of every network; one file."""
    figures: Annotated[Path | None, tyro.conf.arg(metavar="DIR")] = None
    """Write the figures into this directory, as PNG and SVG (needs interp[figures] and Chromium)."""
    style: PictureStyle = field(default_factory=PictureStyle)
    """How --figures draws."""
    common: InCommon = field(default_factory=Common)
    """What every command can be told."""


def main(arguments: list[str] | None = None) -> int:
    """Run interp-survey; returns its exit code."""
    config = (tyro.conf.FlagCreatePairsOff, tyro.conf.OmitArgPrefixes)
    return run_command(
        "interp-survey", lambda: _survey(parse(Options, "interp-survey", arguments, _DESCRIPTION, config=config))
    )


def _survey(options: Options) -> int:
    if options.sql:
        _print_found(_query(options.paths, options.sql), options)
        return 0
    rows = rows_of(options.paths)
    if options.over not in rows[0]:
        raise InterpError(f"no column {options.over!r:.60} to draw over")
    by = ", ".join(each.partition(":")[0] for each in options.by)
    found = shares(grouped(rows, options.by))
    table = shares_table(found, by)
    if options.json:
        for each in plain(found):
            print(json.dumps(each))
    else:
        print(in_words(rows), end="\n\n")
        output().print(table)
    if options.html is not None:
        name = ", ".join(path.name or str(path) for path in options.paths)
        page = survey_page(rows, table, title=name, over=options.over)
        write_atomically(options.html, page.encode())
        options.common.say(f"interp-survey: {options.html}: {len(page) / 1e6:.1f} MB, open it in a browser")
    if options.figures is not None:
        with options.common.console().status(str(options.figures)) as status:
            count = write_pictures(options.figures, pictures(rows, options.over).items(), status.update, options.style)
        options.common.say(f"interp-survey: {options.figures}: {count} pictures")
    return 0


def rows_of(paths: Sequence[Path]) -> list[Row]:
    """The rows of sweeps and of Parquet files together, with all columns that any has. Raises InterpError where none are."""
    found = [row for path in _data_sets(paths) for row in read_rows(path)]
    if not found:
        raise _no_rows(paths)
    # What was added to the columns since they were written, they lack.
    columns = dict.fromkeys([*(column for row in found for column in row), *VERDICT])
    if missing := sorted({"name", "label", "error", "circuit", "is_explained"} - found[0].keys()):
        raise InterpError(
            f"these rows have no column {', '.join(missing)}: they are none of a sweep, whose columns --sql needs not"
        )
    # A network that is in two sweeps is one network, with one name.
    alone = {row["name"]: row for row in reversed(found)}
    return [{column: row.get(column) for column in columns} for row in reversed(alone.values())]


def _data_sets(paths: Sequence[Path]) -> list[Path]:
    """Where the rows are: of the directory of a sweep in its data set."""
    return [path / "rows" if (path / "rows").is_dir() else path for path in paths]


def _no_rows(paths: Sequence[Path]) -> InterpError:
    return InterpError(f"{' '.join(map(str, paths)) or 'nothing'}: no rows to read: expected the directory of a sweep")


def _query(paths: Sequence[Path], sql: str) -> Table:
    try:
        import duckdb
        import pyarrow
    except ImportError as error:
        raise InterpError('queries need duckdb, which is not installed: pip install "interp[sweep]"') from error
    tables = [table for path in _data_sets(paths) for table in read_tables(path)]
    if not tables:
        raise _no_rows(paths)
    connection = duckdb.connect(config={"enable_external_access": "false"})
    try:
        connection.register("networks", pyarrow.concat_tables(tables, promote_options="permissive"))
        found = connection.execute(sql)
        if found is None or found.description is None:
            raise InterpError(f"expected a query, got {sql!r:.60}")
        return Table("", tuple(each[0] for each in found.description), tuple(map(tuple, found.fetchall())))
    except (duckdb.Error, pyarrow.ArrowException) as error:
        raise InterpError(f"the query fails: {error}") from error


def _print_found(table: Table, options: Options) -> None:
    if options.json:
        for row in table.rows:
            values = (None if isinstance(each, float) and not math.isfinite(each) else each for each in row)
            print(json.dumps(dict(zip(table.columns, values, strict=True)), default=str))
    else:
        output().print(table)


if __name__ == "__main__":
    sys.exit(main())
