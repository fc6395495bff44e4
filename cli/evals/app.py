"""`critiql eval`: run systems on a data set, list, score, compare, explain, report and export."""

import typer

from critiql.cli.screen.extras import extra

with extra("evals"):
    from critiql.cli.evals.causes import eval_causes
    from critiql.cli.evals.compare import eval_compare
    from critiql.cli.evals.confidence import eval_confidence
    from critiql.cli.evals.detect import eval_detect
    from critiql.cli.evals.export import eval_export
    from critiql.cli.evals.guidelines import eval_guidelines
    from critiql.cli.evals.merge import eval_merge
    from critiql.cli.evals.repairs import eval_repairs
    from critiql.cli.evals.report import eval_report
    from critiql.cli.evals.run import eval_run
    from critiql.cli.evals.runs import eval_runs
    from critiql.cli.evals.score import eval_score
    from critiql.cli.evals.supply import eval_supply

app = typer.Typer(no_args_is_help=True, add_completion=False, pretty_exceptions_enable=False)
app.command("run")(eval_run)
app.command("runs")(eval_runs)
app.command("score")(eval_score)
app.command("compare")(eval_compare)
app.command("causes")(eval_causes)
app.command("confidence")(eval_confidence)
app.command("detect")(eval_detect)
app.command("repairs")(eval_repairs)
app.command("guidelines")(eval_guidelines)
app.command("supply")(eval_supply)
app.command("merge")(eval_merge)
app.command("report")(eval_report)
app.command("export")(eval_export)
