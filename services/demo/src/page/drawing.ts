import { element } from "./element.js";
import { type PictureSize, readPixels } from "./read-pixels.js";

export interface Drawing {
  show(isShown: boolean): void;
}

/** A canvas to draw on: with a pointer, or with the arrow keys while space is held. */
export function createDrawing(
  size: PictureSize,
  onPixels: (pixels: Uint8Array<ArrayBuffer>) => void,
): Drawing {
  const canvas = element("drawing", HTMLCanvasElement);
  const clear = element("clear", HTMLButtonElement);
  const context = canvas.getContext("2d", { willReadFrequently: true })!;
  const side = canvas.width;
  const brush = side / 9;
  const stepPx = side / 28;
  let at = { x: side / 2, y: side / 2 };
  let isDown = false;

  function report(): void {
    onPixels(readPixels(canvas, { x: 0, y: 0, side }, size));
  }

  function wipe(): void {
    context.fillStyle = "#000";
    context.fillRect(0, 0, side, side);
    report();
  }

  function lineTo(to: { readonly x: number; readonly y: number }): void {
    Object.assign(context, { strokeStyle: "#fff", lineWidth: brush, lineCap: "round" });
    context.beginPath();
    context.moveTo(at.x, at.y);
    context.lineTo(to.x, to.y);
    context.stroke();
    at = { ...to };
    report();
  }

  const toCanvas = ({ offsetX, offsetY }: PointerEvent) => ({
    x: (offsetX / canvas.clientWidth) * side,
    y: (offsetY / canvas.clientHeight) * side,
  });

  canvas.addEventListener("pointerdown", (event) => {
    canvas.setPointerCapture(event.pointerId);
    isDown = true;
    at = toCanvas(event);
    lineTo(at);
  });
  canvas.addEventListener("pointermove", (event) => {
    if (isDown) for (const moved of event.getCoalescedEvents?.() ?? [event]) lineTo(toCanvas(moved));
  });
  for (const type of ["pointerup", "pointercancel"] as const) {
    canvas.addEventListener(type, () => {
      isDown = false;
    });
  }
  const moves: Readonly<Record<string, readonly [number, number]>> = {
    ArrowLeft: [-1, 0],
    ArrowRight: [1, 0],
    ArrowUp: [0, -1],
    ArrowDown: [0, 1],
  };
  canvas.addEventListener("keydown", (event) => {
    const move = moves[event.key];
    if (event.key === " ") {
      isDown = true;
      lineTo(at);
    } else if (move) {
      const clamp = (value: number) => Math.min(side, Math.max(0, value));
      const to = { x: clamp(at.x + move[0] * stepPx), y: clamp(at.y + move[1] * stepPx) };
      if (isDown) lineTo(to);
      else at = to;
    } else return;
    event.preventDefault();
  });
  canvas.addEventListener("keyup", ({ key }) => {
    if (key === " ") isDown = false;
  });
  clear.addEventListener("click", wipe);
  wipe();
  return {
    show(isShown) {
      canvas.hidden = !isShown;
      clear.hidden = !isShown;
      if (isShown) report();
    },
  };
}
