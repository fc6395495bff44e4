// Write src/trace/events.ts from events.schema.json, which `critiql events --schema` prints.
// With --check nothing is written: the exit status says whether the file is what the schema gives.
import { readFile, writeFile } from "node:fs/promises";
import { compile } from "json-schema-to-typescript";

const here = (path) => new URL(`../${path}`, import.meta.url);
const schema = JSON.parse(await readFile(here("events.schema.json"), "utf8"));

// Discriminators are always sent, although a default makes the schema call them optional.
for (const event of Object.values(schema.$defs)) {
  event.required = [...new Set([...(event.required ?? []), ...Object.keys(event.properties ?? {})])];
  for (const field of Object.values(event.properties ?? {})) delete field.title;
}
delete schema.discriminator;
schema.title = "TraceEvent";

const text = await compile(schema, "TraceEvent", {
  bannerComment: "/** Generated from events.schema.json by `npm run types`; do not edit. */",
  additionalProperties: false,
});

const target = here("src/trace/events.ts");
if (!process.argv.includes("--check")) await writeFile(target, text);
else if ((await readFile(target, "utf8")) !== text) {
  console.error("src/trace/events.ts is not what events.schema.json gives: run `npm run types`.");
  process.exit(1);
}
