/** The form of the controls: settings out of it, and the model's cuts into it. */
import type { CutSummary, ModelSummary } from "../model-summary.js";
import { element } from "./element.js";
import {
  type Choice,
  codecs,
  concealments,
  defaultSettings,
  rates,
  type Settings,
  type StrategyChoice,
} from "./settings.js";

export interface Controls {
  readonly settings: Settings;
  /** Fills in what the server has. */
  showModel(model: ModelSummary, models: readonly string[], hasClip: boolean): void;
  /** Puts the picture back to what it was where a camera cannot be had. */
  setSource(source: Settings["source"]): void;
}

/** While a slider moves, changes are passed on so often. */
const settleMs = 120;

export function createControls(onChange: (settings: Settings) => void): Controls {
  const form = element("controls", HTMLFormElement);
  const field = <T extends HTMLElement>(name: string) => form.elements.namedItem(name) as unknown as T;
  const select = (name: string) => field<HTMLSelectElement>(name);
  const input = (name: string) => field<HTMLInputElement>(name);
  let timer: ReturnType<typeof setTimeout> | undefined;

  fill(select("codec"), codecs, defaultSettings.codec);
  fill(select("concealment"), concealments, defaultSettings.concealment);
  fill(select("rateBitsPerSecond"), rates, "");
  select("strategy").value = defaultSettings.strategy;
  const { network } = defaultSettings;
  const numbers = {
    ...{ lossPercent: network.lossPercent, burst: network.burst, delayMs: network.delayMs },
    ...{ deadlineMs: defaultSettings.deadlineMs, framesPerSecond: defaultSettings.framesPerSecond },
  };
  for (const [name, value] of Object.entries(numbers)) input(name).value = String(value);
  (form.elements.namedItem("source") as RadioNodeList).value = defaultSettings.source;

  function read(): Settings {
    const number = (name: string) => Number(input(name).value);
    const rate = select("rateBitsPerSecond").value;
    return {
      source: (form.elements.namedItem("source") as RadioNodeList).value as Settings["source"],
      ...{ cut: select("cut").value, codec: select("codec").value, fec: select("fec").value },
      strategy: select("strategy").value as StrategyChoice,
      concealment: select("concealment").value,
      ...{ deadlineMs: number("deadlineMs"), framesPerSecond: number("framesPerSecond") },
      network: {
        ...{ delayMs: number("delayMs"), lossPercent: number("lossPercent"), burst: number("burst") },
        rateBitsPerSecond: rate === "" ? null : Number(rate),
        isBlocked: input("isBlocked").checked,
      },
    };
  }

  function showNumbers(): void {
    for (const range of form.querySelectorAll<HTMLInputElement>("input[type=range]")) {
      const output = range.closest("label")?.querySelector("output");
      if (output) output.value = `${range.value}${range.dataset.unit ?? ""}`;
    }
    const isCut = ["shared", "auto"].includes(select("strategy").value);
    for (const name of ["cut", "codec"]) select(name).disabled = !isCut;
    for (const name of ["concealment", "fec"]) select(name).disabled = select("strategy").value === "client";
  }

  function change(): void {
    showNumbers();
    clearTimeout(timer);
    timer = setTimeout(() => onChange(read()), settleMs);
  }

  form.addEventListener("input", ({ target }) => {
    // Another network is another page: nothing of the one before is of use to it.
    if (target === select("model"))
      location.search = new URLSearchParams({ model: select("model").value }).toString();
    else change();
  });
  form.addEventListener("submit", (event) => event.preventDefault());
  document.addEventListener("keydown", (event) => {
    if (
      event.ctrlKey ||
      event.metaKey ||
      event.altKey ||
      (event.target as HTMLElement).matches("input, select, canvas")
    )
      return;
    if (event.key === "b") input("isBlocked").checked = !input("isBlocked").checked;
    else if (event.key === "+" || event.key === "=") input("lossPercent").stepUp();
    else if (event.key === "-") input("lossPercent").stepDown();
    else return;
    change();
  });
  // On a narrow screen the stream comes first.
  element("controls-details", HTMLDetailsElement).open = !matchMedia("(max-width: 1180px)").matches;
  showNumbers();

  return {
    get settings() {
      return read();
    },
    showModel(model, models, hasClip) {
      fill(
        select("model"),
        models.map((name) => ({ value: name, text: name })),
        model.name,
      );
      fill(select("cut"), chooseCuts(model).map(describeCut), model.defaultCut);
      const clip = form.querySelector<HTMLInputElement>("input[value=clip]")!;
      clip.disabled = !hasClip;
      if (!hasClip) this.setSource("drawing");
      showNumbers();
    },
    setSource(source) {
      (form.elements.namedItem("source") as RadioNodeList).value = source;
      change();
    },
  };
}

function fill(list: HTMLSelectElement, choices: readonly Choice[], chosen: string): void {
  list.replaceChildren(...choices.map(({ value, text }) => new Option(text, value, false, value === chosen)));
}

/** Cuts after activations and sums are what people ask for; a list of every constant helps nobody. */
const maxCuts = 24;

function chooseCuts({ cuts, defaultCut }: ModelSummary): readonly CutSummary[] {
  const step = Math.max(1, Math.ceil(cuts.length / maxCuts));
  return cuts.filter(({ name }, i) => name === defaultCut || i % step === 0);
}

function describeCut({ name, shape, workShare }: CutSummary): Choice {
  return { value: name, text: `${name}: ${shape.join("×")}, ${Math.round(100 * workShare)} % here` };
}
