// How well a window was watched, in words and in patterns that need no colour.

/** From the best to the worst. @type {Msg.Quality[]} */
export const QUALITIES = ["complete", "running", "incomplete", "gap", "unknown"];

/** @type {Record<Msg.Quality, string>} */
export const MEANING = {
	complete: "over, and nothing is missing",
	running: "not over yet, and nothing is known to be missing",
	incomplete: "events are known to be lost, or came too late to be counted",
	gap: "nothing was received for a part of it",
	unknown: "nobody watched: before the feed began, or what was lost cannot be said",
};

/** @typedef {{ quality: Msg.Quality, text: string }} Said */

/**
 * What is known of two things in one picture: the worse of both.
 * @param {Msg.Watched | null} trades
 * @param {Msg.Watched} liquidations
 * @returns {Said}
 */
export function both(trades, liquidations) {
	if (!trades) return liquidations;
	const worse = QUALITIES.indexOf(trades.quality) > QUALITIES.indexOf(liquidations.quality) ? trades : liquidations;
	if (trades.text === liquidations.text) return worse;
	const text = [trades.text && `trades: ${trades.text}`, liquidations.text && `liquidations: ${liquidations.text}`];
	return { quality: worse.quality, text: text.filter(Boolean).join("; ") };
}

/**
 * @param {CanvasRenderingContext2D} ctx
 * @param {Msg.Quality} quality
 * @param {number} x
 * @param {number} width
 * @param {number} height
 * @param {import("./theme.js").Colours} colours
 */
export function drawQuality(ctx, quality, x, width, height, colours) {
	const w = Math.max(width, 1);
	ctx.fillStyle = ctx.strokeStyle = colours[quality];
	if (quality === "complete") ctx.fillRect(x, height * 0.4, w, height * 0.35);
	else if (quality === "running") {
		for (let at = x; at < x + w; at += 4) ctx.fillRect(at, height * 0.4, 2, height * 0.35);
	} else if (quality === "gap") ctx.fillRect(x, 0, w, height);
	else if (quality === "incomplete") {
		ctx.fillRect(x, height * 0.4, w, height * 0.6);
	} else {
		ctx.save();
		ctx.beginPath();
		ctx.rect(x, 0, w, height);
		ctx.clip();
		ctx.lineWidth = 1.5;
		ctx.beginPath();
		for (let at = x - height - ((x - height) % 5); at < x + w; at += 5) {
			ctx.moveTo(at, height);
			ctx.lineTo(at + height, 0);
		}
		ctx.stroke();
		ctx.restore();
	}
}
