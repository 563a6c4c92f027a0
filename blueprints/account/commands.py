"""`flask accounts import`: companies and users of an older portal, from a CSV file (`docs/import.md`)."""

import csv
import os
import re
import sys
from collections import Counter
from pathlib import Path

import click
from flask.cli import AppGroup

from .importing import ADVICE, ALL_RIGHTS, KNOWN, NEW, WRONG, Check, ImportRefused, Row, import_rows, read_rows

accounts = AppGroup("accounts", help="Accounts of companies.")
HEADING = ("行号", "用户名", "单位名称", "结果", "编号", "说明")
PART = re.compile(r"\{\w+\}")
FILE = click.Path(dir_okay=False, path_type=Path)


@accounts.command("import")
@click.argument("source", type=click.Path(exists=True, dir_okay=False, readable=True, path_type=Path))
@click.option("--dry-run", is_flag=True, help="checks everything, stores nothing")
@click.option("--report", type=FILE, help="a new CSV file with the outcome of each row")
@click.option("--all-or-nothing", is_flag=True, help="stores nothing if any row has a problem")
@click.option("--full-rights", is_flag=True, help="operators may do everything at once; otherwise nothing yet")
def import_file(source: Path, dry_run: bool, report: Path | None, all_or_nothing: bool, full_rights: bool):
    """Brings companies and users from SOURCE, a CSV file in UTF-8 or GBK. Ends with 1 when a row has a problem."""
    rights = ALL_RIGHTS if full_rights else {}
    try:
        check = Check()
        rows = [check.look_at(row) for row in read_rows(source)]
        out = open_report(report) if report else None
        stored = import_rows(rows, rights=rights, store=not dry_run, all_or_nothing=all_or_nothing)
    except ImportRefused as refused:
        raise click.ClickException(f"{refused.sentence.number} {refused.sentence}") from None
    if out:
        write_report(out, rows, stored)
    print_totals(rows, stored, dry_run)
    if any(row.outcome == WRONG for row in rows):
        sys.exit(1)


def open_report(path: Path):
    """Before anything is stored, so that a folder that cannot be written is noticed. Never over another file."""
    try:
        number = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except OSError as error:
        raise click.ClickException(f"报告存不到{path}，请换一个还没有的文件名：{error.strerror}") from None
    return os.fdopen(number, "w", encoding="utf-8-sig", newline="")


def write_report(out, rows: list[Row], stored: bool) -> None:
    """One line for each row of the file, in its order; it opens in Excel."""
    with out:
        lines = csv.writer(out)
        lines.writerow(HEADING)
        for row in rows:
            sentence = row.sentence if stored or row.outcome != NEW else "没有存"
            number = getattr(sentence, "number", "")
            lines.writerow((row.line, plain(row.user), plain(row.company), row.outcome, number, sentence))


def plain(text: str) -> str:
    """So that Excel takes no cell for a formula."""
    return f"'{text}" if text.startswith(("=", "+", "-", "@", "\t", "\r")) else text


def print_totals(rows: list[Row], stored: bool, dry_run: bool) -> None:
    """Counts only: no name stands in a terminal or its log."""
    counts = Counter(row.outcome for row in rows)
    click.echo(
        f"共{len(rows)}行：" + "，".join(f"{outcome}{counts[outcome]}行" for outcome in (NEW, ADVICE, KNOWN, WRONG))
    )
    problems = Counter((row.sentence.number, row.sentence.template) for row in rows if row.outcome in (WRONG, ADVICE))
    for (number, template), count in sorted(problems.items()):
        click.echo(f"  {number} {PART.sub('…', template)}：{count}行")
    if dry_run:
        click.echo("这是试运行，数据库里什么也没有写。")
    elif not stored:
        click.echo("有的行有问题，按要求一行也没有存。")
