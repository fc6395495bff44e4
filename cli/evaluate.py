"""`critiql eval`: run systems on a data set, list, score, compare, explain, report and export."""

import typer

from critiql.cli.extras import extra

with extra("evals"):
    from critiql.cli.eval_causes import eval_causes
    from critiql.cli.eval_compare import eval_compare
    from critiql.cli.eval_detect import eval_detect
    from critiql.cli.eval_export import eval_export
    from critiql.cli.eval_merge import eval_merge
    from critiql.cli.eval_report import eval_report
    from critiql.cli.eval_run import eval_run
    from critiql.cli.eval_runs import eval_runs
    from critiql.cli.eval_score import eval_score
    from critiql.cli.eval_supply import eval_supply

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("run")(eval_run)
app.command("runs")(eval_runs)
app.command("score")(eval_score)
app.command("compare")(eval_compare)
app.command("causes")(eval_causes)
app.command("detect")(eval_detect)
app.command("supply")(eval_supply)
app.command("merge")(eval_merge)
app.command("report")(eval_report)
app.command("export")(eval_export)
