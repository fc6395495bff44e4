/** Text from a database or a model, made safe to look at. React escapes markup; this shows what is invisible. */

// Control, zero-width and direction characters, which could hide or reorder text.
// eslint-disable-next-line no-control-regex
const HIDDEN = /[\u0000-\u001f\u007f-\u009f\u00ad\u061c\u180e\u200b-\u200f\u2028-\u202e\u2060-\u206f\ufeff\ufff9-\ufffb]/g;

/** Every hidden character as its escape, such as `\u202e`. */
export function visible(text: string): string {
  return text.replace(HIDDEN, escaped);
}

/** The same for text of several lines, which stay; tabs stay too. */
export function visibleLines(text: string): string {
  return text.replace(HIDDEN, (found) => (found === "\n" || found === "\t" ? found : escaped(found)));
}

function escaped(character: string): string {
  if (character === "\n") return "\\n";
  if (character === "\t") return "\\t";
  if (character === "\r") return "\\r";
  return `\\u${character.charCodeAt(0).toString(16).padStart(4, "0")}`;
}
