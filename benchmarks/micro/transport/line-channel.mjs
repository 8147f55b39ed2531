/**
 * JSON values over a pair of pipes, one a line: how the two processes of a run talk to the one that started them.
 * Node and Deno both speak it.
 */
export function createLineChannel(input, output, onValue) {
  let rest = "";
  input.setEncoding("utf8");
  input.on("data", (text) => {
    const lines = (rest + text).split("\n");
    rest = lines.pop();
    for (const line of lines) {
      if (line !== "") onValue(JSON.parse(line));
    }
  });
  return { send: (value) => output.write(`${JSON.stringify(value)}\n`) };
}
