// Time against the number of values, on logarithmic scales, as SVG.

const WIDTH = 640;
const HEIGHT = 400;
const MARGIN = { left: 70, right: 170, top: 20, bottom: 50 };
const LINES = { sops: "#888888", node: "#2f7d32", standalone: "#1a4f9c", bare: "#c4c4c4" };

/** @param timings - those with a `size` are drawn */
export function plot(timings, contestants) {
  const points = timings.filter(({ size }) => size !== undefined);
  const names = Object.keys(LINES).filter((name) => name in contestants);
  const medians = points.flatMap(({ times }) => names.map((name) => times[name].median));
  const x = scale(
    points.map(({ size }) => size),
    MARGIN.left,
    WIDTH - MARGIN.right,
  );
  const y = scale(medians, HEIGHT - MARGIN.bottom, MARGIN.top);
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH} ${HEIGHT}" font-family="sans-serif" font-size="12">`,
    `<rect width="${WIDTH}" height="${HEIGHT}" fill="white"/>`,
    ...powersOfTen(medians).map((value) => horizontal(y(value), `${value.toLocaleString("en")} ms`)),
    ...points.map(({ size }) => text(x(size), HEIGHT - MARGIN.bottom + 20, size.toLocaleString("en"), "middle")),
    text((MARGIN.left + WIDTH - MARGIN.right) / 2, HEIGHT - 10, "values decrypted", "middle"),
    ...names.map((name) =>
      line(
        points.map(({ size, times }) => [x(size), y(times[name].median)]),
        LINES[name],
      ),
    ),
    ...labels(names, points.at(-1), y, contestants),
    "</svg>\n",
  ].join("\n");
}

function scale(values, from, to) {
  const [low, high] = [Math.log(Math.min(...values)), Math.log(Math.max(...values))];
  return (value) => Math.round((from + ((Math.log(value) - low) / (high - low)) * (to - from)) * 10) / 10;
}

function powersOfTen(values) {
  const [low, high] = [Math.ceil(Math.log10(Math.min(...values))), Math.floor(Math.log10(Math.max(...values)))];
  return Array.from({ length: high - low + 1 }, (_, index) => 10 ** (low + index));
}

function horizontal(y, label) {
  const rule = `<line x1="${MARGIN.left}" x2="${WIDTH - MARGIN.right}" y1="${y}" y2="${y}" stroke="#eeeeee"/>`;
  return rule + text(MARGIN.left - 8, y + 4, label, "end");
}

function line(points, colour) {
  const dots = points.map(([x, y]) => `<circle cx="${x}" cy="${y}" r="3" fill="${colour}"/>`).join("");
  return `<polyline points="${points.map((point) => point.join(",")).join(" ")}" fill="none" stroke="${colour}" stroke-width="2"/>${dots}`;
}

/** Names beside the ends of the lines, at least a line of text apart. */
function labels(names, last, y, contestants) {
  let free = HEIGHT;
  return names
    .map((name) => ({ name, at: y(last.times[name].median) }))
    .sort((a, b) => b.at - a.at)
    .map(({ name, at }) => {
      free = Math.min(at, free - 15);
      return text(WIDTH - MARGIN.right + 10, free + 4, contestants[name].label, "start", LINES[name]);
    });
}

function text(x, y, content, anchor, colour = "#333333") {
  return `<text x="${x}" y="${y}" text-anchor="${anchor}" fill="${colour}">${content}</text>`;
}
