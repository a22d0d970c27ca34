/** A line of a chart. */
export interface Series {
  readonly name: string;
  readonly points: readonly { readonly x: number; readonly y: number }[];
}

/** A chart with its words. */
export interface Chart {
  /** What grows, to the right. */
  readonly title: string;
  /** What is shown of it, upwards. */
  readonly shown: string;
  readonly series: readonly Series[];
}

const WIDTH = 300;
const HEIGHT = 220;
const MARGIN = { left: 52, right: 12, top: 30, bottom: 34 };
const COLORS: Readonly<Record<string, string>> = { floor: '#8a8f98' };
const COLOR = '#2563eb';

/** Draws charts side by side as an SVG. Both axes are logarithmic, where a straight line is a growth without surprises. */
export function chart(charts: readonly Chart[]): string {
  const drawn = charts
    .map((one, at) => `<g transform="translate(${at * WIDTH},0)">${draw(one)}</g>`)
    .join('');
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${WIDTH * charts.length} ${HEIGHT}" font-family="sans-serif" font-size="10" fill="#555"><rect width="100%" height="100%" fill="#fff"/>${drawn}</svg>\n`;
}

function draw({ title, shown, series }: Chart): string {
  const xs = series.flatMap(({ points }) => points.map(({ x }) => Math.max(x, 0.5)));
  const ys = series.flatMap(({ points }) => points.map(({ y }) => y));
  const xAxis = scale(Math.min(...xs), Math.max(...xs), MARGIN.left, WIDTH - MARGIN.right);
  const yAxis = scale(Math.min(...ys) / 2, Math.max(...ys) * 2, HEIGHT - MARGIN.bottom, MARGIN.top);
  const ticks = series[0]!.points.map(
    ({ x }) =>
      `<text x="${xAxis(Math.max(x, 0.5))}" y="${HEIGHT - 20}" text-anchor="middle">${short(x)}</text>`,
  );
  const marks = decades(Math.min(...ys) / 2, Math.max(...ys) * 2).map((y) => {
    const at = yAxis(y);
    return `<path d="M${MARGIN.left} ${at}H${WIDTH - MARGIN.right}" stroke="#e5e7eb"/><text x="${MARGIN.left - 4}" y="${at + 3}" text-anchor="end">${y}</text>`;
  });
  const lines = series.map(({ name, points }, at) => {
    const path = points.map(
      ({ x, y }, index) => `${index === 0 ? 'M' : 'L'}${xAxis(Math.max(x, 0.5))} ${yAxis(y)}`,
    );
    const color = COLORS[name] ?? COLOR;
    const label = `<text x="${MARGIN.left + 6}" y="${MARGIN.top + 12 + at * 13}" fill="${color}">${name}</text>`;
    return `<path d="${path.join('')}" fill="none" stroke="${color}" stroke-width="2"/>${label}`;
  });
  const words = `<text x="${WIDTH / 2}" y="${HEIGHT - 6}" text-anchor="middle">${title}</text><text x="6" y="16" font-weight="bold">${shown}</text>`;
  return [...marks, ...ticks, ...lines, words].join('');
}

/** Numbers from a thousand on would run into each other. */
function short(value: number): string {
  if (value < 1_000) return String(value);
  return `${value % 1_024 === 0 ? value / 1_024 : value / 1_000}k`;
}

function scale(least: number, most: number, from: number, to: number): (value: number) => number {
  const width = Math.log(most) - Math.log(least) || 1;
  return (value) => Number((from + ((Math.log(value) - Math.log(least)) / width) * (to - from)).toFixed(1));
}

/** The powers of ten between two numbers. */
function decades(least: number, most: number): number[] {
  const first = Math.ceil(Math.log10(least));
  const count = Math.max(0, Math.floor(Math.log10(most)) - first + 1);
  return Array.from({ length: count }, (_, at) => Number((10 ** (first + at)).toPrecision(1)));
}
