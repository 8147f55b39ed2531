import type { BandwidthInterval, ProfiledOption } from "@sluice/inference";
import { totalInferenceMs } from "@sluice/protocol";
import { formatBandwidth, nameOptions } from "./profile-report.js";

/** The picture's size and the room around its axes, in pixels. */
const width = 860;
const height = 480;
const room = { left: 64, right: 230, top: 40, bottom: 52 };
/** Shown bandwidths, in bits per second. */
const least = 1e5;
const most = 1e9;
const pointsOfCurve = 96;

/** Told apart by those who see colours differently (Okabe and Ito). */
const colours = ["#0072b2", "#d55e00", "#009e73", "#cc79a7", "#e69f00", "#56b4e9", "#000000"];
/** So many curves can be told apart, the second round of colours by its dashes; more ways than that are not all named. */
const mostNamed = 2 * colours.length;
/** Characters beside a curve's sign that fit the picture. */
const longestName = 30;

function escapeText(text: string): string {
  return text.replace(/[&<>"]/g, (sign) => `&#${sign.charCodeAt(0)};`);
}

/** Positions on a logarithmic axis. */
function logScale(from: number, to: number, start: number, end: number): (value: number) => number {
  const span = Math.log(to / from);
  return (value) => start + ((end - start) * Math.log(value / from)) / span;
}

/** 1, 2 and 5 times the powers of ten within a range. */
function logTicks(from: number, to: number): number[] {
  const ticks: number[] = [];
  for (let power = Math.floor(Math.log10(from)); power <= Math.ceil(Math.log10(to)); power++) {
    for (const digit of [1, 2, 5]) {
      const tick = digit * 10 ** power;
      if (tick >= from * 0.999 && tick <= to * 1.001) ticks.push(tick);
    }
  }
  return ticks;
}

function curve(
  option: ProfiledOption,
  rttMs: number,
  x: (b: number) => number,
  y: (ms: number) => number,
): string {
  const points = Array.from({ length: pointsOfCurve + 1 }, (_, i) => {
    const bitsPerSecond = least * (most / least) ** (i / pointsOfCurve);
    return `${x(bitsPerSecond).toFixed(1)},${y(totalInferenceMs(option, { bitsPerSecond, rttMs })).toFixed(1)}`;
  });
  return points.join(" ");
}

/** Along the line that it is about, so that near ones do not run into each other; curves below it give way. */
function besideLine(x: number, text: string): string {
  const place = `transform="translate(${(x - 3).toFixed(1)} ${room.top + 6}) rotate(-90)" text-anchor="end"`;
  return `<text ${place} fill="#555" stroke="white" stroke-width="3" paint-order="stroke">${text}</text>`;
}

/** What the grey curves are, below the names. */
function otherCuts(count: number, named: number): string {
  const [x, y] = [width - room.right, room.top + 10 + 16 * named];
  const line = `<line x1="${x + 10}" x2="${x + 30}" y1="${y}" y2="${y}" stroke="#ccc" stroke-width="1"/>`;
  return `${line}<text x="${x + 36}" y="${y + 4}" fill="#555">${count} others, never the fastest</text>`;
}

/** Those that the picture names: all where they are few, else what counts, the cuts that are the fastest somewhere. */
function chooseNamed(
  options: readonly ProfiledOption[],
  best: ReadonlySet<ProfiledOption>,
): readonly ProfiledOption[] {
  if (options.length <= mostNamed) return options;
  // Client-only and server-only are what each split is measured against.
  return options.filter((option) => best.has(option) || option.strategy !== "shared");
}

function shorten(name: string): string {
  return name.length <= longestName ? name : `${name.slice(0, longestName - 1)}…`;
}

/**
 * Draws the total inference time over bandwidth for each way to run a model, as SVG. Ways have colours and names; of many
 * cuts only those that are the fastest somewhere, the others are grey. What is the fastest somewhere is thick, and
 * dashed lines stand where one takes over from another.
 */
export function drawProfile(
  title: string,
  options: readonly ProfiledOption[],
  intervals: readonly BandwidthInterval<ProfiledOption>[],
  rttMs: number,
): string {
  const nameOf = nameOptions(options);
  const best = new Set(intervals.map(({ option }) => option));
  const named = chooseNamed(options, best);
  const times = named.flatMap((option) =>
    [least, most].map((bitsPerSecond) => totalInferenceMs(option, { bitsPerSecond, rttMs })),
  );
  const shortest = Math.max(0.05, Math.min(...times)) / 1.3;
  // What is hopeless with little bandwidth leaves the picture at the top.
  const longest = Math.min(Math.max(...times), shortest * 3000) * 1.3;
  const [left, right, top, bottom] = [room.left, width - room.right, room.top, height - room.bottom];
  const x = logScale(least, most, left, right);
  const y = logScale(shortest, longest, bottom, top);
  const strokeOf = (option: ProfiledOption) => {
    const at = named.indexOf(option);
    return `stroke="${colours[at % colours.length]!}"${at < colours.length ? "" : ` stroke-dasharray="6 2"`}`;
  };
  const line = (option: ProfiledOption, style: string) =>
    `<polyline points="${curve(option, rttMs, x, y)}" fill="none" ${style}/>`;
  const parts = [
    `<svg xmlns="http://www.w3.org/2000/svg" width="${width}" height="${height}" viewBox="0 0 ${width} ${height}" font-family="sans-serif" font-size="11">`,
    `<rect width="${width}" height="${height}" fill="white"/>`,
    `<text x="${left}" y="20" font-size="13">${escapeText(title)}</text>`,
    `<clipPath id="inside"><rect x="${left}" y="${top}" width="${right - left}" height="${bottom - top}"/></clipPath>`,
    ...logTicks(least, most).map((tick) => {
      const at = x(tick).toFixed(1);
      const label =
        Math.log10(tick) % 1 === 0
          ? `<text x="${at}" y="${bottom + 16}" text-anchor="middle">${formatBandwidth(tick)}</text>`
          : "";
      return `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="#eee"/>${label}`;
    }),
    ...logTicks(shortest, longest).map((tick) => {
      const at = y(tick).toFixed(1);
      return `<line x1="${left}" x2="${right}" y1="${at}" y2="${at}" stroke="#eee"/><text x="${left - 6}" y="${Number(at) + 4}" text-anchor="end">${tick >= 1 ? tick : tick.toPrecision(1)}</text>`;
    }),
    `<text x="${(left + right) / 2}" y="${height - 12}" text-anchor="middle">bandwidth</text>`,
    `<text x="16" y="${(top + bottom) / 2}" text-anchor="middle" transform="rotate(-90 16 ${(top + bottom) / 2})">total inference time, ms</text>`,
    `<g clip-path="url(#inside)">`,
    ...options
      .filter((option) => !named.includes(option))
      .map((option) => line(option, `stroke="#ccc" stroke-width="1"`)),
    ...named.map((option) =>
      line(option, `${strokeOf(option)} stroke-width="${best.has(option) ? 2.5 : 1.2}"`),
    ),
    `</g>`,
    ...intervals
      .filter(({ fromBitsPerSecond: from }) => from > least && from < most)
      .map(({ fromBitsPerSecond: from }) => {
        const at = x(from).toFixed(1);
        return `<line x1="${at}" x2="${at}" y1="${top}" y2="${bottom}" stroke="#888" stroke-dasharray="4 3"/>${besideLine(x(from), formatBandwidth(from))}`;
      }),
    ...named.map((option, i) => {
      const at = top + 10 + 16 * i;
      const weight = best.has(option) ? ` font-weight="bold"` : "";
      return `<line x1="${right + 10}" x2="${right + 30}" y1="${at}" y2="${at}" ${strokeOf(option)} stroke-width="2.5"/><text x="${right + 36}" y="${at + 4}"${weight}>${escapeText(shorten(nameOf(option)))}</text>`;
    }),
    ...(named.length < options.length ? [otherCuts(options.length - named.length, named.length)] : []),
    "</svg>",
  ];
  return `${parts.join("\n")}\n`;
}
