/** A chart from a specification that code made. No expression is compiled and nothing is fetched. */

import { useEffect, useRef, useState } from "react";
import type { Loader } from "vega";
import embed, { type VisualizationSpec } from "vega-embed";
import { expressionInterpreter } from "vega-interpreter";
import { inWords } from "../api/http";

const refuse = () => Promise.reject(new Error("A chart may not load anything."));
const loader = { load: refuse, sanitize: refuse, http: refuse, file: refuse } as unknown as Loader;

export default function Vega({ spec, label, theme }: { spec: Record<string, unknown>; label: string; theme: string }) {
  const host = useRef<HTMLDivElement>(null);
  const [error, setError] = useState("");
  useEffect(() => {
    const element = host.current!;
    let done: (() => void) | null = null;
    let left = false;
    embed(element, { width: "container", ...spec, background: "transparent" } as VisualizationSpec, {
      ast: true,
      expr: expressionInterpreter,
      loader,
      actions: false,
      renderer: "canvas",
      defaultStyle: false,
      tooltip: { disableDefaultStyle: true },
      config: coloursOf(element),
    }).then(
      (drawn) => {
        done = () => drawn.finalize();
        if (left) done();
        else setError("");
      },
      (failure: unknown) => setError(inWords(failure)),
    );
    // A chart as wide as its place follows the window only; the place also changes by itself.
    const watcher = new ResizeObserver(() => window.dispatchEvent(new Event("resize")));
    watcher.observe(element.parentElement!);
    return () => {
      left = true;
      watcher.disconnect();
      done?.();
    };
  }, [spec, theme]);
  return (
    <figure className="chart">
      <div ref={host} className="vega" role="img" aria-label={label} />
      {error && <figcaption className="notice bad">The chart cannot be drawn: {error}</figcaption>}
    </figure>
  );
}

/** The page's colours; they differ by theme. */
function coloursOf(element: HTMLElement): Record<string, unknown> {
  const probe = document.createElement("span");
  element.parentElement?.append(probe);
  const colour = (name: string) => {
    probe.style.color = `var(${name})`;
    return getComputedStyle(probe).color;
  };
  const [ink, muted, line, accent] = ["--ink", "--muted", "--line", "--accent"].map(colour);
  const category = ["--accent", "--chart-2", "--chart-3", "--chart-4", "--chart-5", "--chart-6"].map(colour);
  probe.remove();
  const font = getComputedStyle(element).fontFamily;
  return {
    font,
    mark: { color: accent },
    bar: { color: accent, cornerRadiusEnd: 2 },
    line: { color: accent, strokeWidth: 2 },
    point: { color: accent, filled: true },
    arc: { innerRadius: 40 },
    range: { category },
    axis: { labelColor: muted, titleColor: ink, gridColor: line, domainColor: line, tickColor: line, labelLimit: 160 },
    legend: { labelColor: muted, titleColor: ink },
    view: { stroke: "transparent" },
  };
}
