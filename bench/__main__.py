"""`python -m bench [SCENARIO]`: measure, print a table or JSON, and write it to docs/performance.md when asked."""

import json
import sys
from dataclasses import replace

import click

from app.supervisor.redis import RedisUnavailableError
from bench import (
    finding,
    gateway_table,
    gateways,
    million,
    million_table,
    pages,
    peers,
    receipts,
    running_all,
    throughput,
    tls,
    webhooks,
)
from bench.ground import POSTGRES, SQLITE
from bench.report import Report, as_json, as_markdown, rewritten
from bench.running import ROOT, RunFailed
from bench.scenarios import OTHERS, SCENARIOS
from bench.size import Size
from bench.stage import NoDatabase

PAGE = ROOT / "docs" / "performance.md"
FULL = throughput.Plan(
    rounds=5, recipients=10_000, naive_fork=100, naive_simple=600, ceiling_seconds=2, postgres="own"
)
QUICK = throughput.Plan(
    rounds=3, recipients=4_000, naive_fork=0, naive_simple=300, ceiling_seconds=1, seconds=40
)
SMOKE = throughput.Plan(
    rounds=1, recipients=1_000, naive_fork=10, naive_simple=50, ceiling_seconds=1, judge_speed=False
)
PEERS = peers.Plan(replace(FULL, naive_fork=0, naive_simple=0), kannel=10_000, celery=2_000)
PEERS_SMOKE = peers.Plan(replace(SMOKE, naive_fork=0, naive_simple=0), kannel=500, celery=200)
RECEIPTS = receipts.Plan(receipts=8_000, rounds=3, seconds=3)
RECEIPTS_SMOKE = receipts.Plan(receipts=200, rounds=1, seconds=0.2)
TLS = tls.Plan(rounds=3, messages=20_000, ceiling_seconds=2)
TLS_SMOKE = tls.Plan(rounds=1, messages=500, ceiling_seconds=1, fetch=False, judge_speed=False)


class Scenarios(click.Group):
    """All that --list names; options without a name are those of the first one."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        named = bool(args) and (args[0] in self.commands or args[0] in ("--help", "--list"))
        return super().parse_args(ctx, args if named else [_by_default(args), *args])


def _by_default(args: list[str]) -> str:
    """Return the command that is meant: `bench chaos --smoke` is `bench scenarios chaos --smoke`."""
    if args and args[0] in SCENARIOS:
        return "scenarios"
    return "smoke" if args == ["--smoke"] else "throughput"


@click.group(cls=Scenarios, invoke_without_command=True)
@click.option(
    "--list", "wanted", is_flag=True, help="Say which scenarios there are, and which target each checks."
)
def main(wanted: bool) -> None:
    """Measure Tidings on this machine. Example: python -m bench throughput --smoke"""
    if wanted:
        rows = OTHERS | {name: (one.target, one.words) for name, one in SCENARIOS.items()}
        for name, (target, words) in rows.items():
            click.echo(f"{name:12} {target:11} {words}")


@main.command("throughput")
@click.option("--smoke", is_flag=True, help="One small round, in a minute; only correctness is judged.")
@click.option("--quick", is_flag=True, help="Up to three rounds on SQLite, in under 50 seconds.")
@click.option("--rounds", type=click.IntRange(1, 20), help="How often every contender is measured.")
@click.option("--recipients", type=click.IntRange(100, 40_000), help="People of each of our broadcasts.")
@click.option(
    "--postgres", help="'own' for a throw-away server, '' for none, or the URL of one on this machine."
)
@click.option("--json", "in_json", is_flag=True, help="Print one JSON object as the last line.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure(
    smoke: bool = False,
    quick: bool = False,
    rounds: int | None = None,
    recipients: int | None = None,
    postgres: str | None = None,
    in_json: bool = False,
    write: bool = False,
) -> None:
    """Messages a second beside the naive baseline and the ceiling; exit code 1 when the figures are void."""
    plan = SMOKE if smoke else QUICK if quick else FULL
    plan = replace(
        plan,
        rounds=rounds or plan.rounds,
        recipients=recipients or plan.recipients,
        postgres=plan.postgres if postgres is None else postgres,
    )
    try:
        report = throughput.run(plan)
    except (RunFailed, NoDatabase, RedisUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    _show(report, json.dumps(as_json(report, plan.ours)) if in_json else as_markdown(report), in_json)
    if write and not report.void:
        PAGE.write_text(rewritten(PAGE.read_text(), "throughput", as_markdown(report)))
    if report.void:
        sys.exit(1)


@main.command("peers")
@click.option("--smoke", is_flag=True, help="One small round on SQLite; only correctness is judged.")
@click.option("--rounds", type=click.IntRange(1, 20), help="How often every contender is measured.")
@click.option("--json", "in_json", is_flag=True, help="Print one JSON object as the last line.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_peers(smoke: bool, rounds: int | None, in_json: bool, write: bool) -> None:
    """Kannel and Celery (pip fetches it into a folder that is thrown away) beside us; those missing are left out."""
    plan = PEERS_SMOKE if smoke else PEERS
    plan = replace(plan, field=replace(plan.field, rounds=rounds or plan.field.rounds))
    try:
        report = peers.run(plan)
    except (RunFailed, NoDatabase, RedisUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    ours = plan.field.ours
    table = peers.as_markdown(report, ours)
    _show(report, json.dumps(peers.as_json(report, ours)) if in_json else table, in_json)
    if write and not report.void:
        PAGE.write_text(rewritten(PAGE.read_text(), "peers", table))
    if report.void:
        sys.exit(1)


@main.command("webhooks")
@click.option("--receipts", type=click.IntRange(100, 40_000), default=4_000, show_default=True)
@click.option("--rounds", type=click.IntRange(1, 20), default=3, show_default=True)
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_webhooks(receipts: int, rounds: int, write: bool) -> None:
    """Signed receipts a second through our door, beside a plain Flask route; fails unless each one was applied."""
    try:
        table = webhooks.as_markdown(webhooks.run(receipts, rounds))
    except RunFailed as error:
        raise click.ClickException(str(error)) from error
    click.echo(table)
    if write:
        PAGE.write_text(rewritten(PAGE.read_text(), "webhooks", table))


@main.command("gateways")
@click.option("--smoke", is_flag=True, help="One short round; only correctness is judged.")
@click.option("--rounds", type=click.IntRange(1, 20), help="How often every gateway is measured.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_gateways(smoke: bool, rounds: int | None, write: bool) -> None:
    """Messages a second that each HTTP gateway writes, sends and hears of; exit code 1 when a row is void."""
    plan = gateways.SMOKE if smoke else gateways.Plan()
    try:
        found, sink_kind = gateways.run(replace(plan, rounds=rounds or plan.rounds))
    except RuntimeError as error:
        raise click.ClickException(str(error)) from error
    table, wrong = gateway_table.as_markdown(found, sink_kind), gateway_table.faults(found)
    click.echo(table)
    if wrong:
        raise click.ClickException("; ".join(wrong[:5]))
    if write:
        PAGE.write_text(rewritten(PAGE.read_text(), "gateways", table))


@main.command("receipts")
@click.option("--smoke", is_flag=True, help="Tiny, on SQLite; only correctness is judged.")
@click.option("--database", type=click.Choice([SQLITE, POSTGRES]), help="On this one only.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_receipts(smoke: bool, database: str | None, write: bool) -> None:
    """Receipts applied in batches, one by one, and with the ORM; fails unless every delivery stands where it should."""
    plan = RECEIPTS_SMOKE if smoke else RECEIPTS
    databases = [database] if database else [SQLITE] if smoke else [SQLITE, POSTGRES]
    try:
        found = {one: receipts.run(one, plan) for one in databases}
    except (RunFailed, NoDatabase, RedisUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    table = receipts.as_markdown(found, [*receipts.notes(plan), *running_all.where()])
    click.echo(table)
    if write:
        PAGE.write_text(rewritten(PAGE.read_text(), "receipts", table))


@main.command("tls")
@click.option("--smoke", is_flag=True, help="One small round, nothing fetched; only correctness is judged.")
@click.option("--rounds", type=click.IntRange(1, 20), help="How often every contender is measured.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_tls(smoke: bool, rounds: int | None, write: bool) -> None:
    """Our transport beside aiohttp (pip fetches uvloop for it into a folder that is thrown away) over TLS."""
    plan = TLS_SMOKE if smoke else TLS
    try:
        report = tls.run(replace(plan, rounds=rounds or plan.rounds))
    except RunFailed as error:
        raise click.ClickException(str(error)) from error
    table = peers.as_markdown(report, tls.OURS)
    _show(report, table, False)
    if write and not report.void:
        PAGE.write_text(rewritten(PAGE.read_text(), "tls", table))
    if report.void:
        sys.exit(1)


@main.command("million")
@click.option("--people", type=click.IntRange(100, 10_000_000), default=1_000_000, show_default=True)
@click.option(
    "--database",
    type=click.Choice([SQLITE, POSTGRES]),
    help="On this one only; else on both, SQLite with a fifth.",
)
@click.option("--write", is_flag=True, help="Put the tables into docs/performance.md.")
def measure_million(people: int, database: str | None, write: bool) -> None:
    """A big list from its file to its report, on one worker; exit code 1 unless the sink says that all is right."""
    plan = {database: people} if database else {POSTGRES: people, SQLITE: max(100, people // 5)}
    for name, count in plan.items():
        try:
            life = million.live(name, count)
        except (RunFailed, NoDatabase, RedisUnavailableError) as error:
            raise click.ClickException(str(error)) from error
        table = million_table.as_markdown(life, running_all.where())
        click.echo(table + "\n")
        if life.faults:
            sys.exit(1)
        if write:
            PAGE.write_text(rewritten(PAGE.read_text(), f"million-{name.lower()}", table))


@main.command("pages")
@click.option("--people", type=click.IntRange(100, 10_000_000), default=1_000_000, show_default=True)
@click.option("--broadcasts", type=click.IntRange(3, 10_000), default=1_000, show_default=True)
@click.option("--database", type=click.Choice([SQLITE, POSTGRES]), help="On this one only.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def measure_pages(people: int, broadcasts: int, database: str | None, write: bool) -> None:
    """Every page of the desk beside a year of a newsroom: milliseconds of the server, over HTTP."""
    try:
        found = {
            one: pages.run(one, people, broadcasts)
            for one in ([database] if database else [SQLITE, POSTGRES])
        }
    except (RunFailed, NoDatabase, RedisUnavailableError) as error:
        raise click.ClickException(str(error)) from error
    table = pages.as_markdown(found, [f"{people:,} people, {broadcasts:,} broadcasts", *running_all.where()])
    click.echo(table)
    for words in pages.too_slow(found):
        click.echo(f"over {pages.TARGET_MS:.0f} ms: {words}", err=True)
    if write:
        PAGE.write_text(rewritten(PAGE.read_text(), "pages", table))


@main.command("scenarios")
@click.argument("names", nargs=-1, type=click.Choice(list(SCENARIOS)))
@click.option("--smoke", is_flag=True, help="Tiny, on SQLite; only correctness is judged.")
@click.option("--full", is_flag=True, help="As large as it gets.")
@click.option("--database", type=click.Choice([SQLITE, POSTGRES]), help="On this one only.")
@click.option(
    "--seed", type=int, default=20261128, show_default=True, help="Decides who stops and who is killed when."
)
@click.option("--json", "in_json", is_flag=True, help="Print one JSON object as the last line.")
@click.option("--write", is_flag=True, help="Put the table into docs/performance.md.")
def judge(
    names: tuple[str, ...],
    smoke: bool,
    full: bool,
    database: str | None,
    seed: int,
    in_json: bool,
    write: bool,
) -> None:
    """Is it right when things go wrong? All scenarios of --list, or those named; exit code 1 when one fails."""
    size = Size.SMOKE if smoke else Size.FULL if full else Size.NORMAL
    databases = [database] if database else [SQLITE] if smoke else [SQLITE, POSTGRES]
    chosen = names or [name for name, one in SCENARIOS.items() if one.smoke or not smoke]
    found = running_all.run(chosen, databases, size, seed)
    table = finding.as_markdown(found, running_all.notes(size, seed))
    click.echo(json.dumps(finding.as_json(found)) if in_json else table)
    failed = any(one.faults for one in found)
    if write and not failed:
        PAGE.write_text(rewritten(PAGE.read_text(), "scenarios", table))
    if failed:
        sys.exit(1)


@main.command("smoke")
@click.option("--smoke", is_flag=True, hidden=True)
@click.pass_context
def smoke_all(ctx: click.Context, smoke: bool) -> None:
    """A small round of throughput, then the scenarios in tiny form, within a minute. This is what CI runs."""
    ctx.invoke(measure, smoke=True)
    if not running_all.side_by_side([name for name, one in SCENARIOS.items() if one.smoke]):
        sys.exit(1)


def _show(report: Report, words: str, in_json: bool) -> None:
    """Print the words; of a void report only JSON, which says so itself."""
    if report.void:
        click.echo(f"VOID, these figures mean nothing: {'; '.join(report.void_reasons)}", err=True)
    if in_json or not report.void:
        click.echo(words)


if __name__ == "__main__":
    main(prog_name="python -m bench")
