// The charts: price with liquidations, long against short, and cumulative delta.

import { shadeGaps } from "./chart.js";
import { compact, exact, price, signed } from "./format.js";
import { both } from "./quality.js";

const LARGEST_BUBBLE = 22;

/** @typedef {import("./chart.js").Spec} Spec */
/** @typedef {import("./chart.js").Scene} Scene */

/** @param {Msg.Window} window */
const ofBoth = (window) => both(window.trades_watched, window.liquidations_watched);
/** @param {Msg.Window} window */
const ofTrades = (window) =>
	window.trades_watched ?? { quality: /** @type {const} */ ("unknown"), text: "no trades are subscribed to" };
/** @param {Msg.Window} window */
const ofLiquidations = (window) => window.liquidations_watched;

/** @param {number | null} value */
const orDash = (value) => (value === null ? "–" : price(value));

/**
 * A line ends where nothing was received; where there was just no trade, it goes on.
 * @param {Msg.Window} window
 */
const hole = (window) => (["gap", "unknown"].includes(ofTrades(window).quality) ? null : undefined);

/** @param {Scene} scene */
function liquidations(scene) {
	const first = scene.windows[0]?.start ?? 0;
	return scene.bubbles.filter((each) => each.time >= first);
}

/**
 * A long liquidation is a disc, a short one a diamond; the area of both is the volume.
 * @param {uPlot} plot
 * @param {Scene} scene
 * @param {(each: Msg.Print) => number} height
 */
function drawBubbles(plot, scene, height) {
	const { ctx, bbox } = plot;
	const prints = liquidations(scene);
	const largest = prints.reduce((most, each) => Math.max(most, each.volume), 1);
	const ratio = uPlot.pxRatio;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.lineWidth = ratio;
	for (const each of prints) {
		const radius = Math.max(1, LARGEST_BUBBLE * Math.sqrt(each.volume / largest)) * ratio;
		const x = plot.valToPos(each.time, "x", true);
		const y = plot.valToPos(height(each), "y", true);
		ctx.beginPath();
		if (each.side === "long") ctx.arc(x, y, radius, 0, 2 * Math.PI);
		else {
			const half = radius * Math.sqrt(Math.PI / 2);
			ctx.moveTo(x, y - half);
			ctx.lineTo(x + half, y);
			ctx.lineTo(x, y + half);
			ctx.lineTo(x - half, y);
			ctx.closePath();
		}
		ctx.fillStyle = ctx.strokeStyle = each.side === "long" ? scene.colours.long : scene.colours.short;
		ctx.globalAlpha = 0.45;
		ctx.fill();
		ctx.globalAlpha = 0.9;
		ctx.stroke();
	}
	ctx.restore();
}

/**
 * @param {uPlot} plot
 * @param {Scene} scene
 */
function drawCascades(plot, scene) {
	const { ctx, bbox } = plot;
	const ratio = uPlot.pxRatio;
	ctx.save();
	ctx.beginPath();
	ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
	ctx.clip();
	ctx.font = `600 ${11 * ratio}px system-ui, sans-serif`;
	ctx.textBaseline = "top";
	ctx.textAlign = "left";
	/** Where the text of each of the lines of labels ends. */
	const taken = [0, 0, 0];
	for (const each of scene.cascades) {
		if (scene.shown.asset !== null && each.asset !== scene.shown.asset) continue;
		const left = plot.valToPos(each.start, "x", true);
		const width = Math.max(3 * ratio, plot.valToPos(each.end, "x", true) - left);
		if (left + width < bbox.left) continue;
		ctx.fillStyle = scene.colours[each.side];
		ctx.globalAlpha = 0.1;
		// Those of many assets would cover all.
		if (scene.shown.asset !== null) ctx.fillRect(left, bbox.top, width, bbox.height);
		ctx.globalAlpha = 1;
		ctx.fillRect(left, bbox.top, width, 3 * ratio);
		const asset = scene.shown.asset === null ? ` ${each.asset.replaceAll(/[^\p{L}\p{N}]/gu, "").slice(0, 8)}` : "";
		const text = `${each.side === "long" ? "▼" : "▲"}${asset} ${compact(each.volume)}`;
		const line = taken.findIndex((end) => end < left);
		if (line < 0) continue;
		ctx.fillStyle = scene.colours.ink;
		ctx.fillText(text, left + 2 * ratio, bbox.top + (5 + 13 * line) * ratio);
		taken[line] = left + ctx.measureText(text).width + 6 * ratio;
	}
	ctx.restore();
}

/** @param {Scene} scene */
const oneAsset = (scene) => scene.windows.some((window) => window.close !== null);

/**
 * The highest and lowest price that there is to see, with some room.
 * @param {Scene} scene
 * @returns {[number, number]}
 */
function prices(scene) {
	let [low, high] = [Infinity, -Infinity];
	for (const window of scene.windows) {
		low = Math.min(low, window.low ?? low);
		high = Math.max(high, window.high ?? high);
	}
	// What is liquidated at prices far from those of trades would flatten them: it is drawn at the edge.
	const room = Math.max((high - low) * 0.12, high * 1e-5);
	return [low - room, high + room];
}

/**
 * The powers of ten in a range.
 * @param {number} low
 * @param {number} high
 */
function powers(low, high) {
	const found = [];
	for (let each = 10 ** Math.ceil(Math.log10(low)); each <= high; each *= 10) found.push(each);
	return found;
}

/** @type {Spec} */
const market = {
	id: "price",
	name: (scene) => (oneAsset(scene) ? "Price and liquidations" : "Liquidations by size"),
	kind: (scene) => (oneAsset(scene) ? "price" : "size"),
	note: (scene) => {
		const marks = "● long, ◆ short: area is USD; bands are cascades";
		if (oneAsset(scene)) return `${marks}; bars span high to low`;
		return scene.shown.asset === null ? `${marks}; pick an asset to see its price` : `${marks}; no trades, so no price`;
	},
	has: () => true,
	quality: ofBoth,
	read: (window) => {
		const volumes = `long ${compact(window.long)}  short ${compact(window.short)}`;
		if (window.close === null) return volumes;
		return `O ${orDash(window.open)}  H ${orDash(window.high)}  L ${orDash(window.low)}  C ${orDash(window.close)}  ${volumes}`;
	},
	columns: ["Open", "High", "Low", "Close"],
	row: (window) => [window.open, window.high, window.low, window.close].map(orDash),
	data: (scene) => {
		const { windows } = scene;
		const closes = oneAsset(scene) ? windows.map((window) => window.close ?? hole(window)) : windows.map(() => null);
		return [windows.map((window) => window.end), closes];
	},
	options: (scene) => {
		const priced = oneAsset(scene());
		return {
			scales: {
				y: priced
					? { range: () => prices(scene()) }
					: {
							distr: 3,
							range: () => {
								const volumes = liquidations(scene()).map((each) => each.volume);
								const largest = Math.max(1e4, ...volumes) * 4;
								return [Math.min(1e3, Math.max(10, Math.min(...volumes, 1e3) / 2)), largest];
							},
						},
			},
			series: [{}, { stroke: scene().colours.price, width: 1.5, points: { show: false } }],
			axes: [
				priced
					? { values: (_, splits) => splits.map((each) => String(Number(each.toPrecision(8)))) }
					: { splits: (_, __, low, high) => powers(low, high), values: (_, splits) => splits.map(compact) },
			],
			hooks: {
				drawAxes: [
					(plot) => {
						shadeGaps(plot, scene(), ofBoth);
						drawCascades(plot, scene());
						if (priced) drawSpans(plot, scene());
					},
				],
				draw: [
					(plot) => {
						const [low, high] = [plot.scales.y?.min ?? 0, plot.scales.y?.max ?? 0];
						drawBubbles(plot, scene(), (each) => Math.min(high, Math.max(low, priced ? each.price : each.volume)));
					},
				],
			},
		};
	},
};

/**
 * From the lowest to the highest price of each window.
 * @param {uPlot} plot
 * @param {Scene} scene
 */
function drawSpans(plot, scene) {
	const { ctx } = plot;
	ctx.save();
	ctx.fillStyle = scene.colours.muted;
	ctx.globalAlpha = 0.45;
	for (const window of scene.windows) {
		if (window.high === null || window.low === null) continue;
		const left = plot.valToPos(window.start, "x", true);
		const width = plot.valToPos(window.end, "x", true) - left;
		if (left < plot.bbox.left) continue;
		const top = plot.valToPos(window.high, "y", true);
		const tall = Math.max(uPlot.pxRatio, plot.valToPos(window.low, "y", true) - top);
		ctx.fillRect(left + width * 0.15, top, Math.max(1, width * 0.7), tall);
	}
	ctx.restore();
}

/** @type {Spec} */
const flow = {
	id: "flow",
	name: (scene) => `Liquidated per ${scene.shown.window_ms / 1000} s`,
	kind: () => "flow",
	note: () => "▲ long upwards, ▼ short downwards, USD",
	has: () => true,
	quality: ofLiquidations,
	read: (window) => `long ${compact(window.long)}  short ${compact(window.short)}  events ${window.liquidations}`,
	columns: ["Long, USD", "Short, USD", "Events"],
	row: (window) => [exact(window.long), exact(window.short), String(window.liquidations)],
	data: ({ windows }) => [
		windows.map((window) => window.start),
		windows.map((window) => window.long),
		windows.map((window) => -window.short),
	],
	options: (scene) => {
		const { colours } = scene();
		const paths = uPlot.paths.bars?.({ size: [0.8, Infinity], align: 1 });
		return {
			scales: {
				y: {
					range: () => {
						const { windows } = scene();
						const up = Math.max(...windows.map((window) => window.long), 1e3);
						const down = Math.max(...windows.map((window) => window.short), 1e3);
						return [-down * 1.08, up * 1.08];
					},
				},
			},
			series: [
				{},
				{ fill: colours.long, width: 0, paths, points: { show: false } },
				{ fill: colours.short, width: 0, paths, points: { show: false } },
			],
			axes: [{ values: (_, splits) => splits.map((each) => compact(Math.abs(each))) }],
			hooks: {
				drawAxes: [
					(plot) => {
						shadeGaps(plot, scene(), ofLiquidations);
						drawZero(plot, scene());
					},
				],
			},
		};
	},
};

/**
 * @param {uPlot} plot
 * @param {Scene} scene
 */
function drawZero(plot, scene) {
	const { ctx, bbox } = plot;
	const y = Math.round(plot.valToPos(0, "y", true));
	if (y < bbox.top || y > bbox.top + bbox.height) return;
	ctx.save();
	ctx.fillStyle = scene.colours.muted;
	ctx.fillRect(bbox.left, y, bbox.width, uPlot.pxRatio);
	ctx.restore();
}

/** @type {{ windows: Msg.Window[], newest: Msg.Window | undefined, sums: number[] }} */
const summed = { windows: [], newest: undefined, sums: [] };

/**
 * Bought less sold, from zero at the oldest window. Made once for each drawing.
 * @param {Scene} scene
 */
function sums(scene) {
	const { windows } = scene;
	if (summed.windows !== windows || summed.newest !== windows.at(-1)) {
		let sum = 0;
		summed.sums = windows.map((window) => (sum += window.buy - window.sell));
		summed.windows = windows;
		summed.newest = windows.at(-1);
	}
	return summed.sums;
}

/** @type {Spec} */
const delta = {
	id: "delta",
	name: () => "Cumulative delta: bought less sold",
	kind: () => "delta",
	note: (scene) => {
		if (!delta.has(scene)) return "No trades of it are subscribed to.";
		const first = scene.windows[0];
		return first ? `starts at zero at ${scene.clock.time(first.start)}, the oldest window shown; USD` : "";
	},
	has: (scene) => scene.windows.some((window) => window.trades_watched !== null),
	quality: ofTrades,
	read: (window, scene, index) =>
		`delta ${signed(window.buy - window.sell)}  cumulative ${signed(sums(scene)[index] ?? 0)}  buy ${compact(window.buy)}  sell ${compact(window.sell)}`,
	columns: ["Bought, USD", "Sold, USD", "Delta", "Cumulative"],
	row: (window, scene, index) => [
		exact(window.buy),
		exact(window.sell),
		exact(window.buy - window.sell),
		exact(sums(scene)[index] ?? 0),
	],
	data: (scene) => {
		const ends = sums(scene);
		return [
			scene.windows.map((window) => window.end),
			scene.windows.map((window, index) => (hole(window) === null && !window.trades ? null : (ends[index] ?? null))),
		];
	},
	options: (scene) => ({
		scales: { y: { range: (_, low, high) => padded(Math.min(low ?? 0, 0), Math.max(high ?? 0, 0)) } },
		series: [
			{},
			{
				stroke: scene().colours.price,
				width: 1.5,
				points: { show: false },
				fill: scene().colours.price.replace(/^rgb\((.*)\)$/, "rgba($1, 0.15)"),
				fillTo: 0,
			},
		],
		axes: [{ values: (_, splits) => splits.map(compact) }],
		hooks: {
			drawAxes: [
				(plot) => {
					shadeGaps(plot, scene(), ofTrades);
					drawZero(plot, scene());
				},
			],
		},
	}),
};

/**
 * @param {number} low
 * @param {number} high
 * @returns {[number, number]}
 */
function padded(low, high) {
	const room = Math.max((high - low) * 0.08, 500);
	return [low - (low < 0 ? room : room / 4), high + room];
}

export const SPECS = [market, flow, delta];
