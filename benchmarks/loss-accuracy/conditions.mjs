import { parseInterleaving } from "@sluice/codec";
import { parseFec } from "@sluice/protocol";
import { lossProcesses } from "./loss-processes.mjs";

/** How tensors travel: every codec with every way to protect and to interleave it. */
export function listConditions({ codecs, fecs, interleaves, minReceiveds }) {
  return codecs.flatMap(({ text: codec }) =>
    interleaves.flatMap((interleave) =>
      fecs.flatMap((fec) => minReceiveds.map((minReceived) => ({ codec, interleave, fec, minReceived }))),
    ),
  );
}

const parts = ["codec", "interleave", "fec", "minReceived"];

/** Whether a point was measured under a condition, or under that of another point. */
export const isUnder = (point, condition) => parts.every((part) => point[part] === condition[part]);

/** Whether a loss process takes datagrams, which a condition has a say in. */
export const losesDatagrams = (process) => lossProcesses[process].loses === "datagrams";

/** The conditions that are told apart by a loss process: what loses elements after decoding knows codecs alone. */
export function conditionsOf(process, conditions) {
  if (losesDatagrams(process)) return conditions;
  const seen = new Set();
  return conditions.filter(({ codec }) => !seen.has(codec) && seen.add(codec));
}

/** A condition in words, short where there is nothing to tell. */
export function nameCondition({ codec, interleave, fec, minReceived }) {
  const again = minReceived && `sent again below ${minReceived} %`;
  return [codec, interleave && `interleave ${interleave}`, fec && `fec ${fec}`, again]
    .filter(Boolean)
    .join(", ");
}

/** @throws RangeError naming the parameter */
export function checkFecText(text) {
  parseFec(text);
  return text;
}

/** @throws TensorError naming the parameter */
export function checkInterleaveText(text) {
  parseInterleaving(text);
  return text;
}
