/** Codecs by name, apart from the rest: of the larger ones a page loads what it uses (bundlers load an index whole). */
export { defaultCodec } from "./default-codec.js";
export { formatInterleaving, parseInterleaving } from "./interleave/interleaving.js";
export { prepareCodec } from "./prepare-codec.js";
