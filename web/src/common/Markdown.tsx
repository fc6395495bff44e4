/** Markdown without HTML, links or images: what a model or a database wrote cannot reach out or run. */

import Renderer from "react-markdown";
import remarkGfm from "remark-gfm";
import { visibleLines } from "./visible";

const ALLOWED = ["p", "em", "strong", "code", "pre", "ul", "ol", "li", "br", "table", "thead", "tbody", "tr", "th", "td", "del", "blockquote"];

export default function Markdown({ text }: { text: string }) {
  return (
    <div className="prose">
      <Renderer remarkPlugins={[remarkGfm]} allowedElements={ALLOWED} unwrapDisallowed>
        {visibleLines(text)}
      </Renderer>
    </div>
  );
}
