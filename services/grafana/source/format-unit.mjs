// Values in the units of Grafana that the panels use, in about three digits.

const steps = (factor, names) => (value) => {
  let rest = value;
  let at = 0;
  while (Math.abs(rest) >= factor && at < names.length - 1) {
    rest /= factor;
    at++;
  }
  return `${round(rest)} ${names[at]}`.trim();
};
const round = (value) => String(Number(value.toPrecision(3)));

const units = {
  short: steps(1_000, ["", "K", "Mil"]),
  bps: steps(1_000, ["b/s", "kb/s", "Mb/s", "Gb/s"]),
  Bps: steps(1_000, ["B/s", "kB/s", "MB/s", "GB/s"]),
  bytes: steps(1_024, ["B", "KiB", "MiB", "GiB"]),
  percentunit: (value) => `${round(value * 100)}%`,
  s(value) {
    const size = Math.abs(value);
    if (size === 0) return "0 s";
    if (size < 0.001) return `${round(value * 1e6)} µs`;
    if (size < 1) return `${round(value * 1e3)} ms`;
    if (size < 120) return `${round(value)} s`;
    if (size < 7_200) return `${round(value / 60)} mins`;
    return size < 172_800 ? `${round(value / 3_600)} hours` : `${round(value / 86_400)} days`;
  },
};

/** @param unit of Grafana: s, percentunit, bps, Bps, bytes, short, or a suffix such as `suffix: frames/s` */
export function formatUnit(value, unit) {
  const suffix = /^suffix:(.*)$/.exec(unit)?.[1];
  const format = units[unit] ?? units.short;
  if (!(unit in units) && suffix === undefined) throw new RangeError(`unit ${unit} is not known here`);
  return Number.isFinite(value) ? `${format(value)}${suffix ?? ""}` : String(value);
}
