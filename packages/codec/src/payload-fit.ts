import { TensorError } from "@sluice/tensor";

/** The most elements whose payload fits. @throws TensorError where even one does not. */
function elementsThatFit(
  payloadBytes: (elements: number) => number,
  elements: number,
  maxPayloadBytes: number,
): number {
  let fits = 0;
  let tooMany = elements + 1;
  while (tooMany - fits > 1) {
    const middle = Math.floor((fits + tooMany) / 2);
    if (payloadBytes(middle) <= maxPayloadBytes) fits = middle;
    else tooMany = middle;
  }
  if (fits === 0) {
    throw new TensorError(
      "maxPayloadBytes",
      `${maxPayloadBytes}, one element takes ${payloadBytes(1)} bytes`,
    );
  }
  return fits;
}

/** The same, which is asked for every frame and changes only where the path's datagrams do. */
export function rememberFit(payloadBytes: (elements: number) => number, elements: number) {
  let askedFor = 0;
  let fits = 0;
  return (maxPayloadBytes: number): number => {
    if (askedFor !== maxPayloadBytes) {
      fits = elementsThatFit(payloadBytes, elements, maxPayloadBytes);
      askedFor = maxPayloadBytes;
    }
    return fits;
  };
}
