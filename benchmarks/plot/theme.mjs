/** Colours that people with colour blindness tell apart (Okabe & Ito, without the yellow), then darker tones. */
export const palette = [
  ...["#0072B2", "#D55E00", "#009E73", "#CC79A7", "#E69F00", "#56B4E9", "#000000"],
  ...["#7B4B94", "#8C6D31", "#5F6B6D", "#A50F15", "#1B7837"],
];

export const ink = "#222222";
export const faint = "#6b6b6b";

const font = "DejaVu Sans, Verdana, Arial, sans-serif";

/** What all plots have in common. */
export const plotConfig = {
  background: "#ffffff",
  font,
  padding: 18,
  view: { stroke: "#c8c8c8" },
  title: {
    ...{ font, fontSize: 16, fontWeight: 600, color: ink, anchor: "start", offset: 14 },
    ...{ subtitleFont: font, subtitleFontSize: 12, subtitleColor: faint, subtitlePadding: 5 },
  },
  axis: {
    ...{ labelFont: font, titleFont: font, labelFontSize: 12, titleFontSize: 13, titleFontWeight: 400 },
    ...{
      labelColor: ink,
      titleColor: ink,
      gridColor: "#e6e6e6",
      domainColor: "#8a8a8a",
      tickColor: "#8a8a8a",
    },
    titlePadding: 10,
  },
  text: { font, fontSize: 11.5 },
};
