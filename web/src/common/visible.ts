/** Text from a database or a model, made safe to look at. React escapes markup; this shows what is invisible. */

// Control, zero-width, direction and tag characters and halves of pairs, which could hide or reorder text.
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb\ud800-\udfff\u{e0000}-\u{e007f}]/gu;

/** The same but for tabs and line ends, which an editor lays out itself. */
export const HIDDEN_IN_LINES = new RegExp(HIDDEN.source.replace("\\u0000-\\u001f", "\\u0000-\\u0008\\u000b-\\u001f"), "gu");

/** Every hidden character as its escape, such as `\u202e`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** The same for text of several lines, which stay; tabs stay too. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN, (found) => (found === "\n" || found === "\t" ? found : escaped(found)));
}

/** The escape of one character. */
export function escaped(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  if (character === "\r") return "\\r";
  const code = character.codePointAt(0)!.toString(16);
  return code.length > 4 ? `\\U${code.padStart(8, "0")}` : `\\u${code.padStart(4, "0")}`;
}
