// Sets formulas for the build: one JSON line in, one JSON line out, until the input ends.
import { createInterface } from "node:readline";
import katex from "katex";

// Readers' browsers take MathML as it is: the TeX beside it would be dead weight, and be read out with it.
const SOURCE = /<annotation.*?<\/annotation>/gs;
// KaTeX sets the invisible "apply" sign beside the name of an operator, where limits and fractions take one child.
const APPLIED = /<mi[^>]*>[^<]*<\/mi><mo>\u2061<\/mo>/g;

for await (const line of createInterface({ input: process.stdin })) {
  const { tex, display, macros } = JSON.parse(line);
  const options = { displayMode: display, strict: "error", macros };
  let answer;
  try {
    answer = { html: katex.renderToString(tex, options).replace(SOURCE, "").replace(APPLIED, "<mrow>$&</mrow>") };
  } catch (error) {
    answer = { error: error.message };
  }
  process.stdout.write(JSON.stringify(answer) + "\n");
}
