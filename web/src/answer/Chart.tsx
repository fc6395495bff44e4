/** The rows as a chart: its kind is chosen by rule from the columns' types, and can be switched. */

import { lazy, Suspense, useEffect, useState } from "react";
import { inWords, wasStopped } from "../api/http";
import { drawChart } from "../api/routes";
import type { Cell, ChartResult } from "../api/types";

const Vega = lazy(() => import("./Vega"));

const KINDS: Record<string, string> = { bar: "Bars", line: "Line", point: "Points", arc: "Ring", area: "Area" };

interface Props {
  columns: string[];
  rows: Cell[][];
  truncated: boolean;
  /** A chart the conversation asked for. */
  given: ChartResult | null;
  theme: string;
}

export function Chart({ columns, rows, truncated, given, theme }: Props) {
  const [kind, setKind] = useState("");
  const [chart, setChart] = useState<ChartResult | null>(given);
  const [error, setError] = useState("");
  useEffect(() => {
    if (given && !kind) return setChart(given);
    const controller = new AbortController();
    drawChart(columns, rows, kind || undefined, controller.signal).then(
      (drawn) => {
        setChart(drawn);
        setError("");
      },
      (failure: unknown) => {
        if (!wasStopped(failure)) setError(inWords(failure));
      },
    );
    return () => controller.abort();
  }, [columns, rows, kind, given]);

  if (error) return <p className="notice bad">No chart: {error}</p>;
  if (!chart) return <p className="muted">Choosing a chart…</p>;
  if (!chart.spec) return <p className="muted">{chart.reason || "These rows have no chart that fits."}</p>;
  return (
    <div className="chart-part">
      <fieldset className="segments" aria-label="Kind of chart">
        {chart.kinds.map((each) => (
          <label key={each}>
            <input type="radio" name="kind" checked={each === chart.kind} onChange={() => setKind(each)} />
            <span>{KINDS[each] ?? each}</span>
          </label>
        ))}
      </fieldset>
      {truncated && <p className="notice warn">The chart shows only the first rows: there are more.</p>}
      <Suspense fallback={<p className="muted">Drawing…</p>}>
        <Vega spec={chart.spec} theme={theme} label={`Chart of ${columns.join(", ")}; the table has the same numbers`} />
      </Suspense>
      {chart.reason && <p className="muted small">{chart.reason}</p>}
    </div>
  );
}
